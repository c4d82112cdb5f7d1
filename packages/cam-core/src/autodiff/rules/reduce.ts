import type { Operand, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Rule, type Sample, type VjpContext, zero } from "../rule.ts";
import { quotientOrZero } from "./quotient.ts";
import { othersProducts } from "./reduce-prod.ts";

/** The reduction, read from its node: dy and y keep the reduced axes as 1, so that they broadcast against x. */
type Reduction = {
  readonly op: VjpContext["op"];
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  /** Numbers where they are known before the run. */
  readonly axes: readonly number[] | Value;
};

/** Reductions over axes given as an input: none given means all of them, unless noop_with_empty_axes. */
export const reduce = defineRules({
  ReduceSum: reduction("linear", ({ op, x, dy, axes }) => spread(op, dy, x, axes), normal),
  ReduceMean: reduction("linear", ({ op, x, dy, axes }) => spread(op, op.div(dy, count(op, x, axes)), x, axes), normal),

  // What equals the extreme shares dy alike.
  ReduceMax: reduction("kinked", toExtremes, distinct),
  ReduceMin: reduction("kinked", toExtremes, distinct),

  // y = sum |x|; 0 at 0.
  ReduceL1: reduction(
    "kinked",
    ({ op, x, dy }) => op.mul(op.sign(x), dy),
    (rng, shape) => rng.away(0, shape),
  ),
  // y = sqrt(sum x²): x / y, and 0 where all of x is 0.
  ReduceL2: reduction(
    "smooth",
    ({ op, x, y, dy }) => op.mul(x, quotientOrZero(op, dy, y)),
    (rng, shape) => rng.away(0, shape),
  ),
  ReduceSumSquare: reduction("smooth", ({ op, x, dy }) => op.mul(x, op.mul(dy, 2)), normal),
  // y = log(sum x): 1 / sum x = exp(-y).
  ReduceLogSum: reduction(
    "smooth",
    ({ op, x, y, dy, axes }) => spread(op, op.mul(dy, op.exp(op.neg(y))), x, axes),
    (rng, shape) => rng.uniform(0.5, 2, shape),
  ),
  // y = log(sum eˣ): softmax(x).
  ReduceLogSumExp: reduction("smooth", ({ op, x, y, dy }) => op.mul(op.exp(op.sub(x, y)), dy), normal),

  // The product of all others.
  ReduceProd: {
    ...reduction(
      "smooth", // linear in each element, not in the whole
      ({ op, x, dy, axes }) => othersProducts(op, x, axes).reduce((product, factor) => op.mul(product, factor), dy),
      (rng, shape) => rng.uniform(0.6, 1.4, shape),
    ),
    sample: (rng) => [
      ...overAxes((shape) => rng.uniform(0.6, 1.4, shape)),
      // One zero in the first row, two in the second, none in the third.
      { inputs: [float32([3, 4], [2, 0, -3, 1.5, 0, 2, 0, 1, -1, 2, 0.5, 3]), int64([1], [1])] },
      { inputs: [float32([2, 3], [1.5, 2, -1, 0, 0.5, 3])] },
    ],
  },

  ArgMax: zero("an index"),
  ArgMin: zero("an index"),
});

function reduction(
  kind: Rule["kind"],
  vjp: (reduction: Reduction) => Value,
  draw: (rng: Rng, shape: readonly number[]) => Sample["inputs"][number],
): Rule {
  return { kind, vjp: (context) => [vjp(read(context))], sample: (rng) => overAxes((shape) => draw(rng, shape)) };
}

function read({ op, inputs: [x, list], outputs: [y], dy, int }: VjpContext): Reduction {
  const rank = op.rank(x!);
  const given = list ? op.integers(list) : [];
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const none = int("noop_with_empty_axes", 0) === 1 ? [] : all;
  const axes = given?.length === 0 ? none : given?.map((axis) => (axis < 0 ? axis + rank : axis));
  const keepdims = int("keepdims", 1) === 1;
  const kept = (value: Value) => {
    if (keepdims) return value;
    if (axes) return op.unsqueeze(value, axes);
    const ones = op.expand(op.ints([1]), op.shape(list!));
    return op.reshape(value, op.scatterElements(op.shape(x!), list!, ones, 0));
  };
  return { op, x: x!, y: kept(y!), dy: kept(dy), axes: axes ?? list! };
}

/** Repeats what was reduced over the axes again. */
function spread(op: VjpContext["op"], value: Value, x: Value, axes: Reduction["axes"]): Value {
  return axes.length === 0 ? value : op.shapedLike(op.expand(value, op.shape(x)), x);
}

/** How many elements each result was made from: a number, or a scalar of x's type where a size is known in the run only. */
function count(op: VjpContext["op"], x: Value, axes: Reduction["axes"]): Operand {
  const sizes = typeof axes === "string" ? [null] : axes.map((axis) => op.dims(x)![axis]);
  if (sizes.every((size) => typeof size === "number")) return sizes.reduce((a, b) => a * b, 1);
  const list = typeof axes === "string" ? axes : op.ints(axes);
  const product = op.reduceProd(op.gather(op.shape(x), list), { axes: "all", keepdims: false });
  return op.cast(product, op.dtype(x));
}

function toExtremes({ op, x, y, dy, axes }: Reduction): Value {
  const picked = op.equal(x, y);
  const winners = op.reduceSum(op.cast(picked, op.dtype(dy)), { axes });
  return op.where(picked, op.div(dy, winners), 0);
}

function normal(rng: Rng, shape: readonly number[]) {
  return rng.normal(shape);
}

function distinct(rng: Rng, shape: readonly number[]) {
  return rng.distinct(shape);
}

/** One axis, a negative one, several, all, none; kept and dropped. */
function overAxes(draw: (shape: readonly number[]) => Sample["inputs"][number]): Sample[] {
  const list = (...axes: number[]) => int64([axes.length], axes);
  return [
    { inputs: [draw([2, 3, 5]), list(1)] },
    { inputs: [draw([2, 3, 5]), list(-1)], attributes: { keepdims: 0 } },
    { inputs: [draw([2, 3, 5]), list(0, -1)] },
    { inputs: [draw([2, 3, 1, 4]), list(-1, 1, 2)], attributes: { keepdims: 0 } },
    { inputs: [draw([2, 3])] },
    { inputs: [draw([2, 3])], attributes: { keepdims: 0 } },
    { inputs: [draw([4]), list()], attributes: { keepdims: 0 } },
    { inputs: [draw([2, 3]), list()], attributes: { noop_with_empty_axes: 1 } },
    { inputs: [draw([2, 3])], attributes: { noop_with_empty_axes: 1, keepdims: 0 } },
  ];
}
