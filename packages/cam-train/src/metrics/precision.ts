import { defineMetric } from "./metric.ts";
import { type Counts, fromCounts } from "./one-versus-rest.ts";

/** TP / (TP + FP); 0 for a class that has samples and is never named, NaN for one that has none either. */
export const precisionOf = ({ truePositive, falsePositive, falseNegative }: Counts) =>
  truePositive + falsePositive === 0 && falseNegative > 0 ? 0 : truePositive / (truePositive + falsePositive);

/** 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall. */
export const f1Of = ({ truePositive, falsePositive, falseNegative }: Counts) =>
  (2 * truePositive) / (2 * truePositive + falsePositive + falseNegative);

/** Share of a class's namings that are right. */
export const precision = defineMetric({
  name: "precision",
  title: "precision",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  value: (scores) => fromCounts(scores, precisionOf),
});

/** Harmonic mean of precision and sensitivity (recall). */
export const f1 = defineMetric({
  name: "f1",
  title: "F1",
  better: "higher",
  range: [0, 1],
  needs: ["classes", "multi-label"],
  value: (scores) => fromCounts(scores, f1Of),
});
