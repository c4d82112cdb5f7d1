import type { Builder, Value } from "../../graph/builder.ts";
import type { DType } from "../../tensor.ts";
import { viewBytes } from "../../tensor.ts";

/** Putting cotangents back where elements were picked: what the rules of picking operators share. */

/**
 * Zeros of a shape, with each of `updates` added at its index along `axis` (ScatterElements' layout). Meant for
 * indices that may repeat.
 *
 * ScatterND(add) would be many times faster, but ONNX Runtime's CPU kernel deals its rows out to threads without a lock: of
 * two rows for one place, one is lost now and then. ScatterElements runs in one thread. It adds float32 and float64 only, so
 * the narrow types are summed in float32, which is also the better sum.
 */
export function scatterAdd(op: Builder, shape: Value, indices: Value, updates: Value, axis: number): Value {
  const dtype = op.dtype(updates);
  const wide = summedIn(dtype);
  const zeros = op.expand(op.scalar(0, wide), shape);
  return op.cast(op.scatterElements(zeros, indices, op.cast(updates, wide), axis, "add"), dtype);
}

/** The type that sums of `dtype` are taken in. */
export function summedIn(dtype: DType): DType {
  return dtype === "float64" ? dtype : "float32";
}

/** A list of indices along `axis`, repeated over the other axes of `updates`, as ScatterElements and GatherElements want it. */
export function indicesAlong(op: Builder, list: Value, axis: number, updates: Value): Value {
  const rank = op.rank(updates);
  if (rank === 1) return op.reshape(list, [-1]);
  const column = op.reshape(
    list,
    Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)),
  );
  return op.expand(column, op.shape(updates));
}

/** The contents of an integer constant, however long; undefined for what is computed. */
export function constantIntegers(op: Builder, value: Value): readonly number[] | undefined {
  const tensor = op.graph.initializers.get(value);
  if (!tensor || !/^u?int/.test(tensor.dtype)) return op.integers(value);
  return Array.from(viewBytes(tensor.dtype as "int64", tensor.bytes) as ArrayLike<number | bigint>, Number);
}
