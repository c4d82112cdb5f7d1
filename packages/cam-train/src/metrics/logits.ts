/*
 * From what a network answers to probabilities, in float64 whatever the network computed in: 1 − p of a sure answer keeps its
 * digits, so that log losses and temperatures are right where it matters.
 */

type Numbers = Float32Array | Float64Array | readonly number[];

/** p[k] = exp(z[k]) / Σ exp(z), row by row. logits: [N, width]; the answer has the same shape. */
export function softmaxRows(logits: Numbers, width: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += width) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = at; k < at + width; k++) highest = Math.max(highest, logits[k]!);
    let sum = 0;
    for (let k = at; k < at + width; k++) {
      out[k] = Math.exp(logits[k]! - highest);
      sum += out[k]!;
    }
    for (let k = at; k < at + width; k++) out[k]! /= sum;
  }
  return out;
}

/** p = 1 / (1 + exp(−z)), each logit alone. */
export function sigmoids(logits: Numbers): Float64Array {
  return Float64Array.from(logits as ArrayLike<number>, (z) => 1 / (1 + Math.exp(-z)));
}

/** One logit per sample as two, [0, z]: their softmax is [1 − σ(z), σ(z)]. logits: [N]; the answer [N, 2]. */
export function pairs(logits: Numbers): Float64Array {
  const out = new Float64Array(logits.length * 2);
  for (let i = 0; i < logits.length; i++) out[2 * i + 1] = logits[i]!;
  return out;
}
