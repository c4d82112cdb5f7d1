import { aucOfClass } from "./auc.ts";
import { averagePrecisionOfClass } from "./average-precision.ts";
import { type BootstrapOptions, bootstrap, type Interval } from "./bootstrap.ts";
import { type ConfusionMatrix, confusionMatrix } from "./confusion-matrix.ts";
import { metricsFor } from "./index.ts";
import type { Metric } from "./metric.ts";
import { type Classified, countsPerClass } from "./one-versus-rest.ts";
import { f1Of, precisionOf } from "./precision.ts";
import { confidences, type ReliabilityBin, reliabilityTable } from "./reliability.ts";
import type { Scores } from "./scores.ts";
import { riskCoverage, type Selection } from "./selective.ts";
import { sensitivityOf, specificityOf } from "./sensitivity.ts";

/** Everything that scores say, as plain data: what a test prints, a report draws and a manifest keeps. */
export type Measurement = {
  readonly kind: Scores["kind"];
  readonly count: number;
  readonly metrics: readonly MeasuredMetric[];
  /** The class that "positive" means; without one, metrics of one class are means over classes. */
  readonly positive?: string;
  readonly perClass?: readonly ClassRow[];
  readonly confusion?: ConfusionMatrix;
  readonly reliability?: readonly ReliabilityBin[];
  readonly riskCoverage?: readonly Selection[];
};

export type MeasuredMetric = Pick<Metric, "name" | "title" | "better"> & {
  readonly value: number;
  /** 95 %, where it was asked for. */
  readonly interval?: Interval;
};

/** One class against all others. */
export type ClassRow = {
  readonly name: string;
  readonly support: number;
  readonly sensitivity: number;
  readonly specificity: number;
  readonly precision: number;
  readonly f1: number;
  readonly auc: number;
  readonly averagePrecision: number;
};

/**
 * Every metric that these scores have, with intervals where `intervals` is given: its time is the resamples' number times.
 * Throws AbortedError.
 */
export async function measure(scores: Scores, intervals?: BootstrapOptions): Promise<Measurement> {
  const width = scores.kind === "regression" ? scores.outputs.length : scores.classes.length;
  const list = metricsFor(scores.kind, width);
  const found = intervals && (await bootstrap(scores, list, intervals));
  const metrics = list.map((metric, m): MeasuredMetric => {
    const { name, title, better } = metric;
    return { name, title, better, value: metric.value(scores), ...(found ? { interval: found[m]! } : {}) };
  });
  const all = { kind: scores.kind, count: scores.count, metrics };
  if (scores.kind === "regression") return all;
  const perClass = classRows(scores);
  if (scores.kind === "multi-label") return { ...all, perClass };
  const { confidence, correct } = confidences(scores);
  return {
    ...all,
    ...(scores.positive === undefined ? {} : { positive: scores.classes[scores.positive]! }),
    perClass,
    confusion: confusionMatrix(scores),
    reliability: reliabilityTable(scores),
    riskCoverage: riskCoverage(confidence, correct),
  };
}

function classRows(scores: Classified): ClassRow[] {
  return countsPerClass(scores).map((counts, k) => ({
    name: scores.classes[k]!,
    support: counts.truePositive + counts.falseNegative,
    sensitivity: sensitivityOf(counts),
    specificity: specificityOf(counts),
    precision: precisionOf(counts),
    f1: f1Of(counts),
    auc: aucOfClass(scores, k),
    averagePrecision: averagePrecisionOfClass(scores, k),
  }));
}
