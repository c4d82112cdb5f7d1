import type { Builder, Value } from "../graph/builder.ts";
import { sameDim } from "../graph/dims.ts";
import { int64 } from "../tensor.ts";

/**
 * Sums a cotangent over the axes along which `primal` was broadcast, so that it has the primal's shape again. Axes that may
 * or may not have been broadcast (a symbol against another) are decided in the graph, at run time.
 */
export function unbroadcast(op: Builder, dy: Value, primal: Value): Value {
  const from = op.dims(dy);
  const to = op.dims(primal);
  if (!from || !to) return dynamic(op, dy, primal);
  const extra = from.length - to.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const broadcast = to.flatMap((dim, i) => (dim === 1 && from[i + extra] !== 1 ? [i + extra] : []));
  const unsure = to.some((dim, i) => dim !== 1 && typeof dim !== "number" && !sameDim(dim, from[i + extra]));
  if (unsure) return dynamic(op, dy, primal);
  const summed = op.reduceSum(dy, { axes: [...leading, ...broadcast], keepdims: true });
  return extra === 0 ? summed : op.squeeze(summed, leading);
}

/** axes = where(padded primal shape == 1 and cotangent shape != 1); the reshape then drops the extra leading ones. */
function dynamic(op: Builder, dy: Value, primal: Value): Value {
  const from = op.shape(dy);
  const to = op.shape(primal);
  const missing = op.sub(op.shape(from), op.shape(to));
  const padded = op.concat([op.expand(op.constant(int64([1], [1])), missing), to], 0);
  const isBroadcast = op.and(op.equal(padded, 1), op.not(op.equal(from, 1)));
  const axes = op.reshape(op.nonZero(isBroadcast), [-1]);
  return op.reshape(op.reduceSum(dy, { axes, keepdims: true }), to);
}
