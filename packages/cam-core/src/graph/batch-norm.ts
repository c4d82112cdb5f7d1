import { IllegalGraphError } from "../errors.ts";
import type { Builder, Operand, Value } from "./builder.ts";

/** What a batch normalisation in training gives; all but y are [C]. */
export type TrainedNorm = {
  readonly y: Value;
  readonly mean: Value;
  /** Divided by n, as it is normalised with. */
  readonly variance: Value;
  /** Divided by n - 1, as PyTorch's running variance takes it. */
  readonly unbiased: Value;
};

/**
 * Batch normalisation in training form: the statistics are those of the batch.
 *
 *   mean = Σ x / n     variance = Σ (x - mean)² / n     y = scale · (x - mean) / √(variance + ε) + bias
 *
 * over batch and space, per channel (axis 1), n values each. x, y: [N, C, ...space]; scale, bias: [C]. One node: with momentum 0
 * what ONNX calls running statistics are the batch's own. ONNX Runtime's kernel (1.30) takes two passes for them and one for y,
 * and runs nearly as fast as in evaluation. Running statistics r are updated outside: r + m · (mean - r), and
 * r + m · (unbiased - r), for PyTorch's momentum m.
 *
 * The kernel writes the new statistics over the memory of the old ones, even where that is a tensor that was fed or a constant
 * that others read. So it is given some of its own: a pixel of x, which with momentum 0 counts for nothing. Two nodes that were
 * merged to share it would write the same numbers.
 *
 * Throws IllegalGraphError where a channel has one value, whose variance says nothing.
 * Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
 */
export function batchNormTraining(
  op: Builder,
  x: Value,
  { scale, bias, epsilon }: { scale: Value; bias: Value; epsilon: number },
): TrainedNorm {
  const count = perChannelCount(op, x);
  if (count === 1)
    throw new IllegalGraphError(`batch normalisation of "${x}" in training has one value a channel`, {
      hint: "Take a larger batch, or normalise over something else than the batch.",
    });
  const others = allButChannels(op, x);
  const cut = { axes: others, starts: others.map(() => 0), ends: others.map(() => 1) };
  const pixel = op.reshape(op.slice(x, cut), [-1]);
  const attributes = { training_mode: 1, momentum: 0, epsilon };
  const found = op.node("BatchNormalization", [x, scale, bias, pixel, op.neg(pixel)], attributes, { outputs: 3 });
  const [y, mean, variance] = found as [Value, Value, Value];
  const correction = typeof count === "number" ? count / (count - 1) : op.div(count, op.sub(count, 1));
  return { y, mean, variance, unbiased: op.mul(variance, correction) };
}

/** How many values of x [N, C, ...space] each channel has: a number, or a value of x's type where the run decides. */
export function perChannelCount(op: Builder, x: Value): Operand {
  const count = op.count(x, allButChannels(op, x));
  return op.integers(count)?.[0] ?? op.cast(count, op.dtype(x));
}

/** Batch and space: every axis but axis 1. */
function allButChannels(op: Builder, x: Value): number[] {
  return Array.from({ length: op.rank(x) }, (_, axis) => axis).filter((axis) => axis !== 1);
}
