import { defineMetric } from "./metric.ts";
import { type Counts, countsPerClass, fromCounts } from "./one-versus-rest.ts";

/** TP / (TP + FN), also called recall; NaN for a class without samples. */
export const sensitivityOf = ({ truePositive, falseNegative }: Counts) => truePositive / (truePositive + falseNegative);

/** TN / (TN + FP); NaN where every sample is of the class. */
export const specificityOf = ({ trueNegative, falsePositive }: Counts) => trueNegative / (trueNegative + falsePositive);

/** Share of a class's samples that are found. */
export const sensitivity = defineMetric({
  name: "sensitivity",
  title: "sensitivity",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  value: (scores) => fromCounts(scores, sensitivityOf),
});

/** Share of the other samples that are left alone. */
export const specificity = defineMetric({
  name: "specificity",
  title: "specificity",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  value: (scores) => fromCounts(scores, specificityOf),
});

/**
 * Accuracy in which every class weighs the same: the mean sensitivity over classes; with many labels per sample, the mean over
 * classes of (sensitivity + specificity) / 2, since each class is a yes-or-no question. Guessing gives 1/K and 1/2.
 */
export const balancedAccuracy = defineMetric({
  name: "balanced-accuracy",
  title: "balanced accuracy",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  value: (scores) => {
    const ofClass = {
      classes: sensitivityOf,
      "multi-label": (counts: Counts) => (sensitivityOf(counts) + specificityOf(counts)) / 2,
    }[scores.kind];
    const known = countsPerClass(scores)
      .map(ofClass)
      .filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  },
});
