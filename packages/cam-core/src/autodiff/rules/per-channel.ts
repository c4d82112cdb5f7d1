import type { Builder, Value } from "../../graph/builder.ts";

/** One value for each channel (axis 1) of a tensor [N, C, ...space], to and fro. */

/** [C] as [C, 1, …], one axis for each axis of space in x. */
export function alongSpace(op: Builder, value: Value, x: Value): Value {
  return op.unsqueeze(
    value,
    Array.from({ length: op.rank(x) - 2 }, (_, i) => i + 1),
  );
}

/**
 * The sum over batch and space: [C]. Space first: the runtime sums neighbours fast, and what is left is small. 16×96×48²: 0.47
 * ms in two steps, 1.35 in one.
 */
export function sumPerChannel(op: Builder, value: Value, dtype = op.dtype(value)): Value {
  const spatial = Array.from({ length: op.rank(value) - 2 }, (_, i) => i + 2);
  const planes = op.reduceSum(value, { axes: spatial, keepdims: false }); // [N, C]
  return op.cast(op.reduceSum(planes, { axes: [0], keepdims: false }), dtype);
}
