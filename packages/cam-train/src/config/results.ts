import type { InputManifest, ModelFile } from "@camkit/cam-core";
import type { Evaluation } from "../loop/evaluate.ts";
import { type Measurement, measure } from "../metrics/measure.ts";
import type { Scores } from "../metrics/scores.ts";
import type { Selection } from "../metrics/selective.ts";
import { answered, type Calibration, calibrate } from "./calibrate.ts";
import { type NamedPart, sizeOfPart } from "./data.ts";
import { judge } from "./judge.ts";
import type { Config } from "./schema.ts";

/** What a model reached on one set of samples. */
export type Measured = {
  readonly name: string;
  readonly fingerprint: string;
  readonly measurement: Measurement;
  /** The share of the commonest class: what a model without eyes reaches. */
  readonly baseline?: number;
  readonly band?: Selection;
};

export type MeasureProgress = (part: string, done: number, total: number) => void;

/** Measures the deployed file, not the weights in memory: what is written down is what its user gets. */
export async function measureParts(
  model: ModelFile,
  config: Config,
  input: InputManifest | undefined,
  parts: { readonly validation: NamedPart | undefined; readonly tests: readonly NamedPart[] },
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress: MeasureProgress },
): Promise<{ measured: Measured[]; calibration: Calibration }> {
  const { seed, batch, workers, threads } = config;
  const judged = (part: NamedPart) =>
    judge(model, part, {
      ...{ input, batch, workers, threads, signal: options.signal },
      onProgress: (done, total) => options.onProgress(part.name, done, total),
    });
  const measuredOf = (part: NamedPart, found: Evaluation, calibration: Calibration): Measured => {
    const band = answered(found, calibration);
    return {
      name: part.name,
      fingerprint: part.dataset.fingerprint,
      measurement: measure(found.scores, { seed, ...groupsOf(part) }),
      ...baselineOf(found.scores),
      ...(band ? { band } : {}),
    };
  };
  const { validation, tests } = parts;
  const watched = validation && (await judged(validation));
  const calibration = calibrate(config, watched);
  const measured = validation ? [measuredOf(validation, watched!, calibration)] : [];
  for (const part of tests) measured.push(measuredOf(part, await judged(part), calibration));
  return { measured, calibration };
}

/** Whole groups are drawn for the intervals where the data names them. */
export function groupsOf(part: NamedPart): { groups?: string[] } {
  const { dataset, indices } = part;
  if (dataset.groupOf(0) === undefined) return {};
  return { groups: Array.from({ length: sizeOfPart(part) }, (_, i) => dataset.groupOf(indices?.[i] ?? i)!) };
}

/** The share of the commonest class among the labels. */
export function baselineOf(scores: Scores): { baseline?: number } {
  if (scores.kind !== "classes") return {};
  const counts = new Float64Array(scores.classes.length);
  for (const label of scores.labels) counts[label]!++;
  return { baseline: Math.max(...counts) / scores.count };
}

/** A measurement as result.json keeps it: without the curve, which has a point for every sample. */
export function compact({ name, fingerprint, measurement, baseline, band }: Measured) {
  const { riskCoverage: _, ...rest } = measurement;
  return { name, fingerprint, ...(baseline === undefined ? {} : { baseline }), ...rest, ...(band ? { band } : {}) };
}
