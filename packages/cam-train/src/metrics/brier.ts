import { defineMetric } from "./metric.ts";

/**
 * Mean squared distance between probabilities and truth.
 *
 *   two classes: mean of (p − y)²        more: mean of Σ over k of (p[k] − y[k])², 0 … 2
 *
 * For two classes Brier's own sum is twice that; the half is what everybody quotes.
 */
export const brier = defineMetric({
  name: "brier",
  title: "Brier score",
  better: "lower",
  range: [0, 2],
  needs: ["classes"],
  source: "Brier 1950; scikit-learn 1.9, brier_score_loss(scale_by_half='auto')",
  value: ({ count, classes, probabilities, labels }) => {
    const width = classes.length;
    let sum = 0;
    for (let at = 0; at < probabilities.length; at++) {
      const truth = Number(at % width === labels[Math.floor(at / width)]);
      sum += (probabilities[at]! - truth) ** 2;
    }
    return sum / count / (width === 2 ? 2 : 1);
  },
});
