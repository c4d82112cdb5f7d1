import type { Builder, Value } from "../../graph/builder.ts";
import { defineRules } from "../rule.ts";

/** Matrix products. */
export const linear = defineRules({
  // Y = alpha · A' B' + beta · C, where ' is the transposition asked for. A transposed input wants its cotangent transposed:
  // the product is then taken the other way round, so that no Transpose is needed.
  Gemm: {
    kind: "linear",
    vjp: ({ op, inputs: [a, b], dy, wants, int, float }) => {
      const transA = int("transA", 0) === 1;
      const transB = int("transB", 0) === 1;
      const alpha = float("alpha", 1);
      const da = () =>
        transA ? op.gemm(b!, dy, { transA: transB, transB: true, alpha }) : op.gemm(dy, b!, { transB: !transB, alpha });
      const db = () =>
        transB ? op.gemm(dy, a!, { transA: true, transB: transA, alpha }) : op.gemm(a!, dy, { transA: !transA, alpha });
      return [wants(0) ? da() : null, wants(1) ? db() : null, wants(2) ? op.mul(dy, float("beta", 1)) : null];
    },
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), rng.normal([4, 5]), rng.normal([5])] },
      { inputs: [rng.normal([4, 3]), rng.normal([4, 5])], attributes: { transA: 1, alpha: { float: 0.5 } } },
      {
        inputs: [rng.normal([3, 4]), rng.normal([5, 4]), rng.normal([3, 1])],
        attributes: { transB: 1, beta: { float: -1.5 } },
      },
      {
        inputs: [rng.normal([4, 3]), rng.normal([5, 4]), rng.normal([])],
        attributes: { transA: 1, transB: 1, alpha: { float: -2 }, beta: { float: 0.25 } },
      },
      { inputs: [rng.normal([1, 7]), rng.normal([7, 3]), rng.normal([1, 3])] },
    ],
  },

  // A vector on the left is a row, on the right a column; broadcast leading axes are summed by the sweep, the row's with them.
  MatMul: {
    kind: "linear",
    vjp: ({ op, inputs: [a, b], dy, wants }) => {
      const [left, right] = [op.rank(a!), op.rank(b!)];
      const columns = right === 1 ? op.unsqueeze(dy, [-1]) : dy;
      const product = left === 1 ? op.unsqueeze(columns, [-2]) : columns;
      const row = left === 1 ? op.unsqueeze(a!, [0]) : a!;
      const column = right === 1 ? op.unsqueeze(b!, [1]) : b!;
      const da = () => op.matMul(product, swapped(op, column));
      const db = () => {
        if (right === 2 && left > 2) return weightCotangent(op, a!, dy);
        const found = op.matMul(swapped(op, row), product);
        return right === 1 ? op.squeeze(found, [-1]) : found;
      };
      return [wants(0) ? da() : null, wants(1) ? db() : null];
    },
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), rng.normal([4, 5])] },
      { inputs: [rng.normal([4]), rng.normal([4])] },
      { inputs: [rng.normal([4]), rng.normal([4, 5])] },
      { inputs: [rng.normal([3, 4]), rng.normal([4])] },
      { inputs: [rng.normal([4]), rng.normal([2, 4, 5])] },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([4])] },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([4, 5])] },
      { inputs: [rng.normal([3, 4]), rng.normal([2, 4, 5])] },
      { inputs: [rng.normal([2, 3, 5, 4]), rng.normal([2, 3, 4, 5])] },
      { inputs: [rng.normal([2, 1, 3, 4]), rng.normal([3, 4, 2])] },
    ],
  },
});

/** The last two axes exchanged. */
function swapped(op: Builder, x: Value): Value {
  const rank = op.rank(x);
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return op.transpose(x, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

/** aᵀ · dy over all leading axes at once: one product instead of one per batch entry and a sum. */
function weightCotangent(op: Builder, a: Value, dy: Value): Value {
  const rows = (x: Value) => op.reshape(x, op.concat([op.ints([-1]), op.dim(x, -1)], 0));
  return op.gemm(rows(a), rows(dy), { transA: true });
}
