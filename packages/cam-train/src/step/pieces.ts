import type { Tensor } from "@camkit/cam-core";

/** Elements that are worked on at once: a megabyte an array, which stays in the cache from node to node. */
const piece = 1 << 18;

/** A part of each array, as 1-D tensors on the arrays' own memory. */
export type Cut = (array: Float32Array) => Tensor;

/** Goes through arrays of one length, from `begin` to `end`, a piece of all of them at a time. */
export function* pieces(begin: number, end: number): Generator<Cut> {
  for (let at = begin; at < end; at += piece)
    yield (array) => {
      const data = array.subarray(at, Math.min(at + piece, end));
      return { dtype: "float32", shape: [data.length], data };
    };
}
