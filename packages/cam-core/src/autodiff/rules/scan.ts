import type { Value } from "../../graph/builder.ts";
import { int64 } from "../../tensor.ts";
import { defineRules, type Vjp } from "../rule.ts";

/** Operators that run along an axis, order it, or keep a part of each matrix. */

/** y[i] sums x up to i, so x[i] is in all sums from i on: the same sum, run the other way. */
const cumulated: Vjp = ({ op, inputs: [, axis], dy, int }) => [
  op.node("CumSum", [dy, axis], { exclusive: int("exclusive", 0), reverse: 1 - int("reverse", 0) })[0]!,
];

/**
 * x[k] is a factor of every product from its own on: dx[k] = (product of all before it) · r[k], where
 *
 *   r[k] = dy[k] + x[k+1] · r[k+1]      and for products that leave out the last factor: r[k] = dy[k+1] + x[k+1] · r[k+1]
 *
 * This never divides, so a zero among the factors does no harm.
 */
const multiplied: Vjp = ({ op, inputs, dy, int, refuse }) => {
  const [x, axis] = inputs as [Value, Value];
  const at = op.integers(axis)?.[0];
  if (at === undefined) throw refuse("the axis is not known before the run");
  const exclusive = int("exclusive", 0) === 1;
  const reverse = int("reverse", 0);
  const rank = op.rank(x);
  const first = at < 0 ? at + rank : at;
  // The axis to the front and back again.
  const perm = [first, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== first)];
  const [factors, cotangents] = [x, dy].map((value) => op.transpose(value, perm)) as [Value, Value];
  const one = op.squeeze(op.slice(factors, { axes: [0], starts: [0], ends: [1] }), [0]);
  const { kept } = op.scan({
    states: [op.fillLike(one, 0)],
    sequences: [factors, cotangents],
    reverse: reverse === 0,
    body: (inner, [later], [factor, own]) => {
      const r = exclusive ? later! : inner.add(own!, later!);
      const next = exclusive ? inner.add(own!, inner.mul(factor!, later!)) : inner.mul(factor!, r);
      return { states: [next], kept: [r] };
    },
  });
  const before = op.node("CumProd", [x, axis], { exclusive: 1, reverse })[0]!;
  const back = op.transpose(
    kept[0]!,
    perm.map((_, i) => perm.indexOf(i)),
  );
  return [op.shapedLike(op.mul(before, back), x)];
};

/**
 * The chosen values' cotangents go back to where they stood, which no two share. Equal values: the ones that the forward
 * pass chose. The second output, the indices, carries no gradient.
 */
const chosen: Vjp = ({ op, inputs: [x], outputs: [, indices], dys: [dy], int }) => [
  dy ? op.shapedLike(op.scatterElements(op.fillLike(x!, 0), indices!, dy, int("axis", -1)), x!) : null,
];

/** A sequence turned round twice is itself. */
const turned: Vjp = ({ op, inputs: [, lengths], dy, int }) => [
  op.node("ReverseSequence", [dy, lengths], { batch_axis: int("batch_axis", 1), time_axis: int("time_axis", 0) })[0]!,
];

export const scan = defineRules({
  CumSum: {
    kind: "linear",
    vjp: cumulated,
    sample: (rng) => [
      { inputs: [rng.normal([2, 5]), int64([], [1])] },
      { inputs: [rng.normal([4, 3]), int64([], [-2])], attributes: { exclusive: 1 } },
      { inputs: [rng.normal([2, 3, 4]), int64([], [1])], attributes: { reverse: 1 } },
      { inputs: [rng.normal([2, 5]), int64([], [-1])], attributes: { exclusive: 1, reverse: 1 } },
    ],
  },
  CumProd: {
    kind: "smooth", // linear in each factor alone
    vjp: multiplied,
    sample: (rng) => [
      { inputs: [rng.normal([2, 4]), int64([], [1])], opset: 26 },
      { inputs: [rng.normal([3, 2]), int64([], [-2])], attributes: { exclusive: 1 }, opset: 26 },
      { inputs: [rng.normal([2, 3, 2]), int64([], [1])], attributes: { reverse: 1 }, opset: 26 },
      { inputs: [rng.normal([2, 4]), int64([], [-1])], attributes: { exclusive: 1, reverse: 1 }, opset: 26 },
    ],
  },
  // What was kept of x is kept of dy.
  Trilu: {
    kind: "linear",
    vjp: ({ op, inputs: [, k], dy, int }) => [op.node("Trilu", [dy, k], { upper: int("upper", 1) })[0]!],
    sample: (rng) => [
      { inputs: [rng.normal([3, 4])] },
      { inputs: [rng.normal([2, 4, 3]), int64([], [-1])] },
      { inputs: [rng.normal([2, 3, 3]), int64([], [1])], attributes: { upper: 0 } },
    ],
  },
  TopK: {
    kind: "kinked",
    vjp: chosen,
    sample: (rng) => [
      { inputs: [rng.distinct([2, 5]), int64([1], [3])], outputs: 2 },
      { inputs: [rng.distinct([4, 3]), int64([1], [2])], outputs: 2, attributes: { axis: 0, largest: 0 } },
      { inputs: [rng.distinct([2, 3, 2]), int64([1], [3])], outputs: 2, attributes: { axis: -2, sorted: 0 } },
    ],
  },
  ReverseSequence: {
    kind: "linear",
    vjp: turned,
    sample: (rng) => [
      { inputs: [rng.normal([4, 3, 2]), int64([3], [4, 2, 1])] },
      { inputs: [rng.normal([2, 5]), int64([2], [3, 5])], attributes: { batch_axis: 0, time_axis: 1 } },
    ],
  },
});
