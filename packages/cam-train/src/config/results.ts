import type { InputManifest, ModelFile } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { findDuplicates, leaked } from "../data/duplicates.ts";
import type { Evaluation } from "../loop/evaluate.ts";
import type { Part } from "../loop/train.ts";
import { type Measurement, measure } from "../metrics/measure.ts";
import { type Scores, take } from "../metrics/scores.ts";
import type { Selection } from "../metrics/selective.ts";
import { answered, asShown, type Calibration, calibrate } from "./calibrate.ts";
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

/** A network's answers for the samples of a part. */
export type Judged = { readonly part: NamedPart; readonly found: Evaluation };

export type MeasureProgress = (part: string, done: number, total: number) => void;

/** Measures the deployed file, not the weights in memory: what is written down is what its user gets. */
export async function measureParts(
  model: ModelFile,
  config: Config,
  input: InputManifest | undefined,
  parts: { readonly train: Part; readonly validation: NamedPart | undefined; readonly tests: readonly NamedPart[] },
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress: MeasureProgress },
): Promise<{ measured: Measured[]; calibration: Calibration; warnings: readonly string[] }> {
  const { seed, batch, workers, threads } = config;
  const { signal } = options;
  const judged = async (part: NamedPart): Promise<Judged> => {
    const onProgress = (done: number, total: number) => options.onProgress(part.name, done, total);
    return { part, found: await judge(model, part, { input, batch, workers, threads, signal, onProgress }) };
  };
  const { train, validation, tests } = parts;
  const watched = validation && (await judged(validation));
  const { calibration, warnings } = calibrate(config, watched?.found);
  const shown = ({ part, found }: Judged): Judged => ({ part, found: asShown(found, calibration) });
  const measured = watched ? [await measureJudged(shown(watched), calibration, seed, signal)] : [];
  const more: string[] = [];
  for (const part of tests) {
    const whole = shown(await judged(part));
    measured.push(await measureJudged(whole, calibration, seed, signal));
    if (!config.data.withoutCopies || part.dataset === train.dataset) continue;
    const rest = without(whole, await copiesOf(train.dataset, part.dataset, signal), `${part.name} without copies`);
    if (rest) measured.push(await measureJudged(rest, calibration, seed, signal));
    else more.push(`${part.name}: every sample is a copy of a training sample`);
  }
  return { measured, calibration, warnings: [...warnings, ...more] };
}

export async function measureJudged(
  { part, found }: Judged,
  calibration: Calibration,
  seed: number,
  signal?: AbortSignal,
): Promise<Measured> {
  const band = answered(found.scores, calibration);
  return {
    name: part.name,
    fingerprint: part.dataset.fingerprint,
    measurement: await measure(found.scores, { seed, signal, ...groupsOf(part) }),
    ...baselineOf(found.scores),
    ...(band ? { band } : {}),
  };
}

/** Samples of a data set that are, to the byte, in the training data. */
export async function copiesOf(train: Dataset, test: Dataset, signal?: AbortSignal): Promise<ReadonlySet<number>> {
  return new Set(leaked(await findDuplicates([train, test], signal)));
}

/** The same answers with some samples (by their number in the data set) left out; undefined where none is left. */
export function without({ part, found }: Judged, left: ReadonlySet<number>, name: string): Judged | undefined {
  const indices = part.indices ?? Array.from({ length: part.dataset.count }, (_, i) => i);
  const kept = indices.flatMap((index, at) => (left.has(index) ? [] : [at]));
  if (kept.length === 0) return undefined;
  const width = found.outputs.length / indices.length;
  return {
    part: { name, dataset: part.dataset, indices: kept.map((at) => indices[at]!) },
    found: {
      scores: take(found.scores, kept),
      outputs: Float32Array.from(
        kept.flatMap((at) => Array.from(found.outputs.subarray(at * width, (at + 1) * width))),
      ),
      labels: kept.map((at) => found.labels[at]!),
    },
  };
}

/** Whole groups are drawn for the intervals where the data names them. */
function groupsOf(part: NamedPart): { groups?: string[] } {
  const { dataset, indices } = part;
  if (dataset.groupOf(0) === undefined) return {};
  return { groups: Array.from({ length: sizeOfPart(part) }, (_, i) => dataset.groupOf(indices?.[i] ?? i)!) };
}

/** The share of the commonest class among the labels. */
function baselineOf(scores: Scores): { baseline?: number } {
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
