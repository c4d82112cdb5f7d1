import { MetricError } from "../errors.ts";
import { softmaxRows } from "./logits.ts";

/** A temperature and what it does to the log loss of the samples it was chosen on. */
export type Temperature = { readonly temperature: number; readonly before: number; readonly after: number };

/** A step smaller than this share changes nothing that anybody could see. */
const tolerance = 1e-12;

/**
 * Temperature scaling: the one number T that makes held-out probabilities honest. No answer changes, only its sureness.
 *
 *   T = argmin mean of −log softmax(z / T)[label]
 *
 * In b = 1/T the loss is convex: its slope is mean(Σ p[k] z[k] − z[label]) and its curvature the mean variance of z under p. So
 * Newton's steps find the one minimum; a bracket of the slope's sign halves where a step would leave it.
 *
 * logits: [N, width] of samples that were not trained on, width ≥ 2; one logit per sample goes through `pairs` first.
 * Throws MetricError when there is no minimum: every sample right (any sharper is better), or answers no better than chance.
 * Source: Guo et al. 2017, arXiv:1706.04599, section 4.2.
 */
export function fitTemperature(
  logits: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  width: number,
): Temperature {
  if (logits.length !== labels.length * width || labels.length === 0)
    throw new MetricError(`${logits.length} logits for ${labels.length} labels, expected [${labels.length}, ${width}]`);
  const slopeAt = (b: number) => slope(logits, labels, width, b);
  const badLabel = Array.from(labels).find((label) => !(Number.isInteger(label) && label >= 0 && label < width));
  if (badLabel !== undefined) throw new MetricError(`a label is ${badLabel}, expected 0 … ${width - 1}`);
  const atZero = slopeAt(0).slope;
  if (!Number.isFinite(atZero)) throw new MetricError("a logit isn't finite");
  if (atZero >= 0)
    throw new MetricError("no temperature calibrates answers that are no better than chance", {
      hint: "Check that labels and logits have the same class order.",
    });
  if (allHighest(logits, labels, width))
    throw new MetricError(
      "every held-out sample is answered rightly, so no temperature is best: any sharper one is better",
      {
        hint: "Calibrate on more samples, or on samples that weren't trained on.",
      },
    );
  let low = 0;
  let high = 1;
  while (slopeAt(high).slope < 0) [low, high] = [high, high * 4];
  let b = high;
  for (;;) {
    const { slope: at, curvature } = slopeAt(b);
    if (at < 0) low = b;
    else high = b;
    const newton = b - at / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(newton - b) <= tolerance * b || high - low <= tolerance * b) break;
    b = next;
  }
  return {
    temperature: 1 / b,
    before: logLossAt(logits, labels, width, 1),
    after: logLossAt(logits, labels, width, b),
  };
}

/** Whether each label's logit is the highest of its row: then the loss falls for ever as b grows. */
function allHighest(logits: Float32Array | Float64Array, labels: ArrayLike<number>, width: number): boolean {
  return logits.every((z, at) => z <= logits[at - (at % width) + labels[Math.floor(at / width)]!]!);
}

/** First and second derivative of the log loss in b = 1/T. */
function slope(logits: Float32Array | Float64Array, labels: ArrayLike<number>, width: number, b: number) {
  const p = softmaxRows(
    Float64Array.from(logits, (z) => z * b),
    width,
  );
  let slope = 0;
  let curvature = 0;
  for (let i = 0; i < labels.length; i++) {
    let mean = 0;
    for (let k = i * width; k < (i + 1) * width; k++) mean += p[k]! * logits[k]!;
    for (let k = i * width; k < (i + 1) * width; k++) curvature += p[k]! * (logits[k]! - mean) ** 2;
    slope += mean - logits[i * width + labels[i]!]!;
  }
  return { slope: slope / labels.length, curvature: curvature / labels.length };
}

/** mean of log Σ exp(b z) − b z[label], without the clipping that the metric has. */
function logLossAt(logits: Float32Array | Float64Array, labels: ArrayLike<number>, width: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = Array.from(logits.subarray(i * width, (i + 1) * width), (z) => z * b);
    const highest = Math.max(...row);
    sum += highest + Math.log(row.reduce((total, z) => total + Math.exp(z - highest), 0)) - row[labels[i]!]!;
  }
  return sum / labels.length;
}
