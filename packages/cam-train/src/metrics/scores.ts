import { MetricError } from "../errors.ts";

/** One class per sample. */
export type ClassScores = {
  readonly kind: "classes";
  readonly count: number; // N
  readonly classes: readonly string[]; // K names
  readonly probabilities: Float64Array; // [N, K], each row sums to 1
  readonly labels: Int32Array; // [N], 0 … K − 1
  /** The class that "positive" means. Without it the metrics of one class are averaged over all classes. */
  readonly positive?: number;
  /** Ranks of the probabilities within each class, where they are known. [K, N] */
  readonly ranks?: Int32Array;
};

/** Any number of classes per sample, each decided alone: named where its probability is above 0.5. */
export type MultiLabelScores = {
  readonly kind: "multi-label";
  readonly count: number;
  readonly classes: readonly string[];
  readonly probabilities: Float64Array; // [N, K]
  readonly labels: Int32Array; // [N, K], 0 or 1
  /** Ranks of the probabilities within each class, where they are known. [K, N] */
  readonly ranks?: Int32Array;
};

/** Numbers against numbers, in the unit of the targets. */
export type RegressionScores = {
  readonly kind: "regression";
  readonly count: number;
  readonly outputs: readonly string[]; // K names
  readonly predictions: Float64Array; // [N, K]
  readonly targets: Float64Array; // [N, K]
};

export type Scores = ClassScores | MultiLabelScores | RegressionScores;
export type ScoreKind = Scores["kind"];

type Numbers = Float32Array | Float64Array | readonly number[];
type Integers = Int32Array | Uint8Array | BigInt64Array | readonly number[];

/**
 * Probabilities [N, K] and labels [N], checked. Of two classes the second is the positive one unless said otherwise.
 * Throws MetricError: sizes that don't fit, a label outside 0 … K − 1, a row that isn't a distribution.
 */
export function classScores(given: {
  probabilities: Numbers;
  labels: Integers;
  classes: readonly string[];
  positive?: number;
}): ClassScores {
  const { classes } = given;
  const width = classes.length;
  if (width < 2) throw new MetricError(`${width} class: there is nothing to tell apart`);
  const positive = given.positive ?? (width === 2 ? 1 : undefined);
  if (positive !== undefined && classes[positive] === undefined)
    throw new MetricError(`the positive class is ${positive}; classes are 0 … ${width - 1}`);
  const probabilities = shares(given.probabilities, width);
  const count = probabilities.length / width;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += probabilities[i * width + k]!;
    if (Math.abs(sum - 1) > 1e-3)
      throw new MetricError(`the probabilities of sample ${i} sum to ${sum}, not 1`, {
        hint: "Logits go through softmaxRows first.",
      });
  }
  const labels = integers(given.labels, count, width - 1, "one label per sample");
  return { kind: "classes", count, classes, probabilities, labels, ...(positive === undefined ? {} : { positive }) };
}

/** Probabilities [N, K] and labels [N, K] of 0 and 1, checked. Throws MetricError as `classScores` does. */
export function multiLabelScores(given: {
  probabilities: Numbers;
  labels: Integers;
  classes: readonly string[];
}): MultiLabelScores {
  const { classes } = given;
  const probabilities = shares(given.probabilities, classes.length);
  const labels = integers(given.labels, probabilities.length, 1, "one label per sample and class");
  return { kind: "multi-label", count: probabilities.length / classes.length, classes, probabilities, labels };
}

/** Predictions and targets [N, K], checked. Throws MetricError: sizes that don't fit, a number that isn't finite. */
export function regressionScores(given: {
  predictions: Numbers;
  targets: Numbers;
  outputs: readonly string[];
}): RegressionScores {
  const { outputs } = given;
  const predictions = finite(given.predictions, outputs.length, "prediction");
  const targets = finite(given.targets, outputs.length, "target");
  if (targets.length !== predictions.length)
    throw new MetricError(`${predictions.length} predictions and ${targets.length} targets`);
  return { kind: "regression", count: predictions.length / outputs.length, outputs, predictions, targets };
}

/** The samples of these indices, an index as often as it is named. */
export function take<S extends Scores>(scores: S, indices: ArrayLike<number>): S {
  const rows = <A extends Int32Array | Float64Array>(from: A): A => {
    const width = from.length / scores.count;
    const out = from.slice(0, 0).constructor as new (length: number) => A;
    const to = new out(indices.length * width);
    for (let i = 0; i < indices.length; i++) {
      const at = indices[i]! * width;
      if (width === 1) to[i] = from[at]!;
      else to.set(from.subarray(at, at + width), i * width);
    }
    return to;
  };
  return Object.assign(
    { ...scores, count: indices.length },
    scores.kind === "regression"
      ? { predictions: rows(scores.predictions), targets: rows(scores.targets) }
      : {
          probabilities: rows(scores.probabilities),
          labels: rows(scores.labels),
          ...(scores.ranks ? { ranks: columns(scores.ranks, scores.count, indices) } : {}),
        },
  );
}

/** The columns of these indices of an array [K, count]. */
function columns(from: Int32Array, count: number, indices: ArrayLike<number>): Int32Array {
  const height = from.length / count;
  const to = new Int32Array(height * indices.length);
  for (let k = 0, at = 0; k < height; k++)
    for (let i = 0; i < indices.length; i++) to[at++] = from[k * count + indices[i]!]!;
  return to;
}

function finite(values: Numbers, width: number, what: string): Float64Array {
  if (values.length === 0 || width === 0 || values.length % width !== 0)
    throw new MetricError(`${values.length} ${what} values, expected a multiple of ${width}: [N, ${width}]`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new MetricError(`the ${what} of sample ${Math.floor(bad / width)} is ${values[bad]}`);
  return Float64Array.from(values);
}

function shares(values: Numbers, width: number): Float64Array {
  const out = finite(values, width, "probability");
  const bad = out.findIndex((value) => value < 0 || value > 1 + 1e-6); // float32 softmax may end a bit above 1
  if (bad >= 0)
    throw new MetricError(`sample ${Math.floor(bad / width)} has a probability of ${out[bad]}, expected 0 … 1`, {
      hint: "Logits go through softmaxRows or sigmoids first.",
    });
  return out;
}

function integers(values: Integers, length: number, highest: number, expected: string): Int32Array {
  if (values.length !== length) throw new MetricError(`${values.length} labels, expected ${length}: ${expected}`);
  return Int32Array.from(values as ArrayLike<number | bigint>, (value, i) => {
    const label = Number(value);
    if (!Number.isInteger(label) || label < 0 || label > highest)
      throw new MetricError(`label ${i} is ${value}, expected 0 … ${highest}`);
    return label;
  });
}
