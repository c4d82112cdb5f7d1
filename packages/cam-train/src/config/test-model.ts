import type { InputManifest, ModelFile } from "@camkit/cam-core";
import { openDataset } from "../data/open.ts";
import type { DataSpec } from "../data/spec.ts";
import { ConfigError } from "../errors.ts";
import type { ClassScores } from "../metrics/scores.ts";
import { asShown, calibrationIn } from "./calibrate.ts";
import { type JudgeOptions, judge } from "./judge.ts";
import { strayOf } from "./recipe.ts";
import { copiesOf, type Judged, type Measured, measureJudged, without } from "./results.ts";
import { answersOf, openTestData } from "./test-data.ts";

export type TestOptions = Omit<JudgeOptions, "input" | "onProgress"> & {
  /** What to measure, by name. */
  readonly data: Readonly<Record<string, DataSpec>>;
  /** Names of the classes in the order of the outputs, where the manifest has none or others. */
  readonly classes?: readonly string[] | undefined;
  readonly output?: string | undefined;
  /** Ids of samples, which are paths inside their data set, to measure without as well. */
  readonly exclude?: ReadonlySet<string> | undefined;
  /** Training data, to measure without copies of as well. */
  readonly trainingData?: DataSpec | undefined;
  /** Of the resamples behind the intervals. */
  readonly seed: number;
  readonly onProgress?: (part: string, done: number, total: number) => void;
};

export type Tested = {
  readonly measured: readonly Measured[];
  readonly judged: readonly Judged[];
  /** What lies among the data and wasn't used, and what couldn't be measured. */
  readonly warnings: readonly string[];
};

/**
 * Measures a classifier on labelled samples, with the probabilities that its manifest's calibration makes of its logits; where
 * samples are to be left out, without them too. Throws what opening and
 * judging throw, and ConfigError for excluded samples that are in none of the data.
 */
export async function testModel(
  model: ModelFile,
  input: InputManifest | undefined,
  options: TestOptions,
): Promise<Tested> {
  const { classes, exclude, trainingData, seed, signal } = options;
  const answers = answersOf(model, classes);
  const train = trainingData && (await openDataset(trainingData, input ? { input } : {}));
  const calibration = calibrationIn(model.manifest ?? {});
  const measured: Measured[] = [];
  const warnings: string[] = [];
  const judged: Judged[] = [];
  const missing = new Set(exclude);
  for (const [name, spec] of Object.entries(options.data)) {
    const dataset = await openTestData(spec, answers, input);
    warnings.push(...strayOf(dataset));
    const part = { name, dataset };
    const onProgress = (done: number, total: number) => options.onProgress?.(name, done, total);
    const found = asShown(await judge(model, part, { ...options, input, onProgress }), calibration);
    const whole = { part, found };
    judged.push(whole);
    measured.push(await measureJudged(whole, calibration, seed, signal));
    const named = Array.from({ length: dataset.count }, (_, i) => i).filter((i) => exclude?.has(dataset.idOf(i)));
    for (const index of named) missing.delete(dataset.idOf(index));
    const copies = train ? await copiesOf(train, dataset, signal) : new Set<number>();
    for (const [left, what] of [
      [new Set(named), "excluded samples"],
      [copies, "copies of training samples"],
    ] as const) {
      if (left.size === 0) continue;
      const rest = without(whole, left, `${name} without ${left.size} ${what}`);
      if (rest) measured.push(await measureJudged(rest, calibration, seed, signal));
      else warnings.push(`${name}: without ${what} nothing is left`);
    }
  }
  if (missing.size > 0)
    throw new ConfigError(
      `${missing.size} of the samples to leave out are in none of the data: ${[...missing].slice(0, 3).join(", ")}`,
      {
        hint: "Name each by its path inside the data set, as predictions.csv does.",
      },
    );
  return { measured, judged, warnings: [...new Set(warnings)] };
}

/** Every sample's label, answer and probabilities as a CSV file; of values what was measured and what is right. */
export function predictionsCsv(judged: readonly Judged[]): string {
  const several = judged.length > 1;
  return judged
    .flatMap(({ part, found: { scores } }, at) => {
      const names = scores.kind === "regression" ? scores.outputs : scores.classes;
      const width = names.length;
      const values = scores.kind === "regression" ? scores.predictions : scores.probabilities;
      const head = [
        ...(several ? ["data"] : []),
        "path",
        "label",
        "prediction",
        ...names.map((name) => (scores.kind === "regression" ? name : `p(${name})`)),
      ];
      const rows = Array.from({ length: scores.count }, (_, i) => {
        const own = values.subarray(i * width, (i + 1) * width);
        const [label, prediction] = words(scores, i, own);
        const id = part.dataset.idOf(part.indices?.[i] ?? i);
        return [
          ...(several ? [part.name] : []),
          id,
          label,
          prediction,
          ...Array.from(own, (value) => value.toPrecision(6)),
        ];
      });
      return [...(at === 0 ? [head] : []), ...rows];
    })
    .map((row) => `${row.map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",")}\n`)
    .join("");
}

/** Label and answer of one sample in words. */
function words(scores: Judged["found"]["scores"], i: number, own: Float64Array): [label: string, prediction: string] {
  if (scores.kind === "regression") {
    const targets = scores.targets.subarray(i * own.length, (i + 1) * own.length);
    return [targets.join("|"), own.join("|")];
  }
  const named = (chosen: (k: number) => boolean) => scores.classes.filter((_, k) => chosen(k)).join("|");
  if (scores.kind === "multi-label")
    return [named((k) => scores.labels[i * own.length + k] === 1), named((k) => own[k]! > 0.5)];
  return [scores.classes[scores.labels[i]!]!, (scores as ClassScores).classes[own.indexOf(Math.max(...own))]!];
}
