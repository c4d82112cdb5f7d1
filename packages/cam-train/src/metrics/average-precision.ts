import { defineMetric } from "./metric.ts";
import { type Classified, overClasses, splitByTruth } from "./one-versus-rest.ts";

/**
 * Area under the precision-recall curve as a sum of steps, from the highest threshold down; equal scores are one step.
 *
 *   AP = Σ (R[n] − R[n−1]) · P[n]
 *
 * Both lists rise. NaN without positives.
 */
export function areaUnderPrecision(positives: Float64Array, negatives: Float64Array): number {
  let p = positives.length - 1;
  let n = negatives.length - 1;
  let sum = 0;
  while (p >= 0) {
    const threshold = positives[p]!;
    const before = p;
    while (p >= 0 && positives[p] === threshold) p--;
    while (n >= 0 && negatives[n]! >= threshold) n--;
    const found = positives.length - 1 - p;
    sum += (before - p) * (found / (found + negatives.length - 1 - n));
  }
  return sum / positives.length;
}

export function averagePrecisionOfClass(scores: Classified, k: number): number {
  const { positives, negatives } = splitByTruth(scores, k);
  return areaUnderPrecision(positives, negatives);
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
