import { defineMetric } from "./metric.ts";
import { type Classified, overClasses, splitByTruth } from "./one-versus-rest.ts";

/**
 * Area under the ROC curve: how often a sample of the class scores above one that isn't, ties counting half.
 *
 *   AUC = P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)
 *
 * The same number as rank averaging gives (Mann-Whitney U). Both lists rise. NaN when one of them is empty.
 */
export function areaUnderRoc(positives: Float64Array, negatives: Float64Array): number {
  let below = 0; // negatives under the current positive
  let upTo = 0; // … and those that equal it
  let wins = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below++;
    upTo = Math.max(upTo, below);
    while (upTo < negatives.length && negatives[upTo]! === score) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins / (positives.length * negatives.length);
}

export function aucOfClass(scores: Classified, k: number): number {
  const { positives, negatives } = splitByTruth(scores, k);
  return areaUnderRoc(positives, negatives);
}

/** Of the positive class; else each class against the rest, averaged (macro). */
export const auc = defineMetric({
  name: "auc",
  title: "AUC",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  source: "Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
  value: (scores) => overClasses(scores, (k) => aucOfClass(scores, k)),
});
