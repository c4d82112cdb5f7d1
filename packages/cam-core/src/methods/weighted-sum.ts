import type { Builder, Value } from "../graph/builder.ts";

/**
 * sum over k of w[k] · A[k], as one product instead of a multiplication and a reduction of the whole activation.
 *
 * w: [N, K, 1…], A: [N, K, ...space]. Result: [N, ...space].
 */
export function weightedSum(op: Builder, w: Value, A: Value): Value {
  const product = op.matMul(op.reshape(w, [0, 1, -1]), op.reshape(A, [0, 0, -1])); // [N, 1, K] @ [N, K, P]
  return op.reshape(product, op.concat([op.shape(A, 0, 1), op.shape(A, 2)], 0));
}
