import { defineMetric } from "./metric.ts";
import type { RegressionScores } from "./scores.ts";

/** The mean over outputs of a number that each output has alone. */
function overOutputs(
  { count, outputs, predictions, targets }: RegressionScores,
  ofOutput: (errors: Float64Array, targets: Float64Array) => number,
): number {
  const width = outputs.length;
  const column = (from: Float64Array, k: number) =>
    Float64Array.from({ length: count }, (_, i) => from[i * width + k]!);
  const values = outputs.map((_, k) => {
    const truth = column(targets, k);
    return ofOutput(
      column(predictions, k).map((value, i) => value - truth[i]!),
      truth,
    );
  });
  return values.reduce((sum, value) => sum + value, 0) / width;
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanSquare = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0) / values.length;

/** Mean of |prediction − target|, in the targets' unit. */
export const meanAbsoluteError = defineMetric({
  name: "mae",
  title: "mean absolute error",
  better: "lower",
  range: [0, Number.POSITIVE_INFINITY],
  needs: ["regression"],
  value: (scores) => overOutputs(scores, (errors) => mean(errors.map(Math.abs))),
});

/** Square root of the mean squared error, in the targets' unit; of several outputs the mean of their roots. */
export const rootMeanSquaredError = defineMetric({
  name: "rmse",
  title: "root mean squared error",
  better: "lower",
  range: [0, Number.POSITIVE_INFINITY],
  needs: ["regression"],
  source: "scikit-learn 1.9, root_mean_squared_error",
  value: (scores) => overOutputs(scores, (errors) => Math.sqrt(meanSquare(errors))),
});

/** 1 − Σ error² / Σ (target − mean)²; of several outputs the mean. NaN or −∞ where the targets are all equal. */
export const rSquared = defineMetric({
  name: "r2",
  title: "R²",
  better: "higher",
  range: [Number.NEGATIVE_INFINITY, 1],
  needs: ["regression"],
  source: "scikit-learn 1.9, r2_score",
  value: (scores) =>
    overOutputs(scores, (errors, targets) => {
      const center = mean(targets);
      return 1 - meanSquare(errors) / meanSquare(targets.map((value) => value - center));
    }),
});
