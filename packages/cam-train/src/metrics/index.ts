import { MetricError } from "../errors.ts";
import { accuracy } from "./accuracy.ts";
import { auc } from "./auc.ts";
import { averagePrecision } from "./average-precision.ts";
import { brier } from "./brier.ts";
import { exactMatch } from "./exact-match.ts";
import { logLoss } from "./log-loss.ts";
import type { Metric } from "./metric.ts";
import { f1, precision } from "./precision.ts";
import { meanAbsoluteError, rootMeanSquaredError, rSquared } from "./regression.ts";
import { calibrationError } from "./reliability.ts";
import type { ScoreKind } from "./scores.ts";
import { balancedAccuracy, sensitivity, specificity } from "./sensitivity.ts";
import { topK } from "./top-k.ts";

/** Every metric, in the order in which they are shown. */
export const metrics: readonly Metric[] = [
  accuracy,
  topK(5),
  exactMatch,
  balancedAccuracy,
  auc,
  averagePrecision,
  sensitivity,
  specificity,
  precision,
  f1,
  logLoss,
  brier,
  calibrationError,
  meanAbsoluteError,
  rootMeanSquaredError,
  rSquared,
];

export const metricNames: readonly string[] = metrics.map(({ name }) => name);

/** The metrics that scores of this kind, over this many classes, have. Top-5 of five classes says nothing. */
export function metricsFor(kind: ScoreKind, classes: number): Metric[] {
  return metrics.filter(({ name, needs }) => needs.includes(kind) && (name !== "top-5" || classes > 5));
}

/** The metric of this name; "top-3" for any number. Throws MetricError. */
export function metricNamed(name: string): Metric {
  const rank = /^top-([1-9]\d*)$/.exec(name)?.[1];
  const found = rank === undefined ? metrics.find((metric) => metric.name === name) : topK(Number(rank));
  if (found === undefined)
    throw new MetricError(`unknown metric "${name}"`, { hint: `Known: ${metricNames.join(", ")}.` });
  return found;
}
