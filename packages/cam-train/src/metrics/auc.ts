import { defineMetric } from "./metric.ts";
import { type Classified, countsByRank, overClasses, type RankCounts } from "./one-versus-rest.ts";

/**
 * Area under the ROC curve: how often a sample of the class scores above one that isn't, ties counting half.
 *
 *   AUC = P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)
 *
 * The same number as rank averaging gives (Mann-Whitney U). NaN without samples of the class, or without others.
 */
export function areaUnderRoc({ positives, negatives }: RankCounts): number {
  let own = 0;
  let below = 0; // negatives of lower ranks
  let wins = 0;
  for (let rank = 0; rank < positives.length; rank++) {
    wins += positives[rank]! * (below + negatives[rank]! / 2);
    own += positives[rank]!;
    below += negatives[rank]!;
  }
  return wins / (own * below);
}

export function aucOfClass(scores: Classified, k: number): number {
  return areaUnderRoc(countsByRank(scores, k));
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
