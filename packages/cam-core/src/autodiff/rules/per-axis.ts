import type { Builder, Value } from "../../graph/builder.ts";

/**
 * Backward of an operator that works on each axis by itself, linearly: y = M x along an axis, so dx = Mᵀ dy along it, axis
 * after axis. `matrices` holds Mᵀ, [in, out], by axis. The result has x's shape.
 */
export function backAlongAxes(op: Builder, dy: Value, x: Value, matrices: ReadonlyMap<number, Value>): Value {
  const last = op.rank(x) - 1;
  let found = dy;
  // From the last axis to the first, so that the axes behind the one at hand already have x's sizes.
  for (let axis = last; axis >= 0; axis--) {
    const matrix = matrices.get(axis);
    if (!matrix) continue;
    if (axis === last) found = op.matMul(found, op.transpose(matrix, [1, 0]));
    else if (axis === last - 1) found = op.matMul(matrix, found);
    else {
      const before = Array.from({ length: axis + 1 }, (_, i) => op.dim(found, i));
      const behind = Array.from({ length: last - axis }, (_, i) => op.dim(x, axis + 1 + i));
      const flat = op.reshape(found, op.sizes([...before, -1]));
      found = op.reshape(op.matMul(matrix, flat), op.sizes([...before.slice(0, -1), op.dim(x, axis), ...behind]));
    }
  }
  return op.shapedLike(found, x);
}
