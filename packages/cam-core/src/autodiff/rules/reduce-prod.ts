import type { Builder, Value } from "../../graph/builder.ts";

/**
 * What dy is multiplied by where y is a product over `axes`: for each element the product of all others, one factor for each
 * axis. With p the product over the axes before it (x for the first), a factor is the product of p's others along its own
 * axis. Nothing is divided by x, so rows with zeros are right, and stay so when they are differentiated again.
 *
 * `axes` that only the run knows are looked for among all axes of x.
 */
export function othersProducts(op: Builder, x: Value, axes: readonly number[] | Value): Value[] {
  const factors: Value[] = [];
  let product = x;
  for (let axis = 0; axis < op.rank(x); axis++) {
    if (typeof axes !== "string" && !axes.includes(axis)) continue;
    const others = othersAlong(op, product, axis);
    const reduced = op.reduceProd(product, { axes: [axis] });
    const chosen = typeof axes === "string" ? isAmong(op, axis, axes, op.rank(x)) : undefined;
    factors.push(chosen ? op.where(chosen, others, 1) : others);
    product = chosen ? op.where(chosen, reduced, product) : reduced;
  }
  return factors;
}

/** A bool scalar: whether a list of axes, negative ones from the end, names this one. */
function isAmong(op: Builder, axis: number, axes: Value, rank: number): Value {
  const named = op.or(op.equal(axes, axis), op.equal(axes, axis - rank));
  return op.greater(op.reduceMax(op.cast(named, "int64"), { axes: "all", keepdims: false }), 0);
}

function othersAlong(op: Builder, x: Value, axis: number): Value {
  const size = op.dims(x)?.[axis];
  if (typeof size !== "number") return byMask(op, x, axis);
  if (size === 1) return op.fillLike(x, 1);
  return op.mul(beforeEach(op, x, axis, size, 1), beforeEach(op, x, axis, size, -1));
}

/**
 * The product of all elements before each (direction 1) or behind it (-1): moved by one place, then by 1, 2, 4, … places each
 * product is joined by that of as many elements more. About log₂(size) passes over x.
 */
function beforeEach(op: Builder, x: Value, axis: number, size: number, direction: 1 | -1): Value {
  const moved = (value: Value, places: number) => {
    const side = (amount: number) => Array.from({ length: op.rank(x) }, (_, i) => (i === axis ? amount : 0));
    return op.pad(value, [...side(places * direction), ...side(-places * direction)], 1);
  };
  let found = moved(x, 1);
  for (let places = 1; places < size - 1; places *= 2) found = op.mul(found, moved(found, places));
  return found;
}

/** The same for a size that only the run knows: every element meets all of them, itself replaced by 1. Takes size² memory. */
function byMask(op: Builder, x: Value, axis: number): Value {
  const behind = Array.from({ length: op.rank(x) - axis - 1 }, (_, i) => i + 2);
  const itself = op.unsqueeze(op.greater(op.eye(op.dim(x, axis), op.dtype(x)), 0), behind); // [size, size, 1, …]
  const rows = op.where(itself, 1, op.unsqueeze(x, [axis]));
  return op.reduceProd(rows, { axes: [axis + 1], keepdims: false });
}
