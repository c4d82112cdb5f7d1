import type { Builder, Value } from "../../graph/builder.ts";

/**
 * a / b, and 0 where b is 0. Nothing is divided by 0 beneath the mask either: differentiated again, the mask's 0 would meet
 * 1 / 0 there and come out as NaN.
 */
export function quotientOrZero(op: Builder, a: Value, b: Value): Value {
  const isZero = op.equal(b, 0);
  return op.where(isZero, 0, op.div(a, op.where(isZero, 1, b)));
}
