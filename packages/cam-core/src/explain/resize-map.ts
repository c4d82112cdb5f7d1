import type { Builder, Value } from "../graph/builder.ts";
import { float32 } from "../tensor.ts";

/** Longest axis of a map that products resize: their cost per position grows with it, the Resize kernel's doesn't. */
const longest = 64;

/**
 * Maps [N, ...s] with s of 1 to 3 axes, to [N, ...size], `size` as a 1-D int64 value: linear, half-pixel, no antialias, the edges held.
 *
 * Between sizes that are known, axis by axis as a product with the matrix of weights: 7 × 7 to 224 × 224 takes a fifth of
 * ONNX Runtime's Resize, and three nodes fewer. Otherwise by Resize.
 */
export function resizeMap(op: Builder, x: Value, size: Value): Value {
  const [, ...from] = op.dims(x) ?? [];
  const to = op.integers(size);
  const small = (length: unknown): length is number => typeof length === "number" && length <= longest;
  return to?.length === from.length && from.every(small) ? byProducts(op, x, from, to) : byResize(op, x, size);
}

function byProducts(op: Builder, x: Value, from: readonly number[], to: readonly number[]): Value {
  const last = from.length - 1;
  return from.reduceRight((map, length, axis) => {
    if (length === to[axis]) return map;
    if (axis === last)
      return op.matMul(map, op.constant(float32([length, to[axis]!], taps(length, to[axis]!, true)), "taps"));
    const rows = op.constant(float32([to[axis]!, length], taps(length, to[axis]!, false)), "taps");
    if (axis === last - 1) return op.matMul(rows, map);
    const before = from.slice(0, axis);
    const behind = to.slice(axis + 1);
    const planes = op.reshape(map, [0, ...before, length, behind.reduce((a, b) => a * b)]);
    return op.reshape(op.matMul(rows, planes), [0, ...before, to[axis]!, ...behind]);
  }, x);
}

/** What each of `to` positions takes from each of `from`: [to, from], or transposed. */
function taps(from: number, to: number, transposed: boolean): Float32Array {
  const weights = new Float32Array(to * from);
  for (let position = 0; position < to; position++) {
    const centre = Math.min(Math.max(((position + 0.5) * from) / to - 0.5, 0), from - 1);
    const [lower, share] = [Math.floor(centre), centre % 1];
    const put = (tap: number, weight: number) => {
      weights[transposed ? tap * to + position : position * from + tap]! += weight;
    };
    put(lower, 1 - share);
    if (share > 0) put(lower + 1, share);
  }
  return weights;
}

/** ONNX Runtime's linear Resize wants two leading axes, and a line is a plane of height 1. */
function byResize(op: Builder, x: Value, size: Value): Value {
  const added = op.rank(x) === 2 ? [1, 2] : [1];
  const sizes = op.concat([op.shape(x, 0, 1), op.ints(added.map(() => 1)), size], 0);
  const resized = op.node("Resize", [op.unsqueeze(x, added), undefined, undefined, sizes], {
    mode: "linear",
    coordinate_transformation_mode: "half_pixel",
  })[0]!;
  return op.squeeze(resized, added);
}
