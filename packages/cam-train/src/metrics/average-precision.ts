import { defineMetric } from "./metric.ts";
import { type Classified, countsByRank, overClasses, type RankCounts } from "./one-versus-rest.ts";

/**
 * Area under the precision-recall curve as a sum of steps, from the highest threshold down; equal scores are one step.
 *
 *   AP = Σ (R[n] − R[n−1]) · P[n]
 *
 * NaN without samples of the class.
 */
export function areaUnderPrecision({ positives, negatives }: RankCounts): number {
  let found = 0;
  let named = 0;
  let sum = 0;
  for (let rank = positives.length - 1; rank >= 0; rank--) {
    found += positives[rank]!;
    named += positives[rank]! + negatives[rank]!;
    if (positives[rank]! > 0) sum += positives[rank]! * (found / named);
  }
  return sum / found;
}

export function averagePrecisionOfClass(scores: Classified, k: number): number {
  return areaUnderPrecision(countsByRank(scores, k));
}

/** Of the positive class; else the mean over classes. */
export const averagePrecision = defineMetric({
  name: "average-precision",
  title: "average precision",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  source: "scikit-learn 1.9, average_precision_score",
  value: (scores) => overClasses(scores, (k) => averagePrecisionOfClass(scores, k)),
});
