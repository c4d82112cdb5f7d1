import type { Builder, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import { defineRules, type Vjp, type VjpContext } from "../rule.ts";
import { padded } from "./cut.ts";

/** Pad, in its four modes: each is a linear map, and backward returns what lies in the borders to where it was read. */

/** One axis of a Pad in 1-element values: zeros or more on either side, of what is left of x when negative pads are cut off. */
type Border = { axis: number; before: Value; after: Value; cutBefore: Value; cutAfter: Value; size: Value };

/** Backward of padding with a constant cuts the borders off; the constant's cotangent is the sum of what was cut. */
const constant: Vjp = ({ op, inputs, dy, wants }) => {
  const [x, pads, value, axes] = inputs as [Value, Value, Value?, Value?];
  const dx = op.shapedLike(cropped(op, dy, pads, axes), x);
  if (!value || !wants(2)) return [dx];
  const total = (all: Value) => op.reduceSum(all, { axes: "all", keepdims: false });
  return [dx, null, op.reshapeLike(op.sub(total(dy), total(dx)), value)];
};

/** A Slice where all pads are known and none is negative, which is faster than a Pad with negated pads. */
function cropped(op: Builder, dy: Value, pads: Value, axes: Value | undefined): Value {
  const known = op.integers(pads);
  const chosen = axes ? op.integers(axes) : [...Array(op.rank(dy)).keys()];
  if (!known || !chosen || known.some((pad) => pad < 0))
    return op.node("Pad", [dy, op.neg(pads), op.scalar(0, op.dtype(dy)), axes])[0]!;
  const cuts = chosen
    .map((axis, i) => ({ axis, before: known[i]!, after: known[i + chosen.length]! }))
    .filter(({ before, after }) => before + after > 0);
  if (cuts.length === 0) return dy;
  return op.slice(dy, {
    axes: cuts.map(({ axis }) => axis),
    starts: cuts.map(({ before }) => before),
    ends: cuts.map(({ after }) => (after === 0 ? 2 ** 62 : -after)),
  });
}

const folds: ReadonlyMap<string, typeof reflected> = new Map([
  ["reflect", reflected],
  ["edge", repeated],
  ["wrap", wrapped],
]);

/** The other modes read the borders from inside x: axis by axis the borders are folded back, then what was cut off is zero. */
const folded: Vjp = (context) => {
  const { op, inputs, dy, string } = context;
  const borders = bordersOf(context);
  const fold = folds.get(string("mode", "constant"));
  if (!fold) throw context.refuse(`mode "${string("mode", "constant")}" is none that ONNX defines`);
  const inside = borders
    .filter(({ before, after }) => !(isZero(op, before) && isZero(op, after)))
    .reduce((sum, border) => fold(op, sum, border), dy);
  const axes = borders.map(({ axis }) => axis);
  const cut = [...borders.map(({ cutBefore }) => cutBefore), ...borders.map(({ cutAfter }) => cutAfter)];
  return [op.shapedLike(padded(op, inside, axes, cut), inputs[0]!)];
};

function bordersOf({ op, inputs, refuse }: VjpContext): Border[] {
  const [x, pads, , axes] = inputs as [Value, Value, Value?, Value?];
  const chosen = axes ? op.integers(axes) : [...Array(op.rank(x)).keys()];
  if (!chosen) throw refuse("which axes are padded is not known before the run");
  return chosen.map((given, i) => {
    const axis = given < 0 ? given + op.rank(x) : given;
    const [before, after] = [i, i + chosen.length].map((at) =>
      op.slice(pads, { axes: [0], starts: [at], ends: [at + 1] }),
    );
    const [cutBefore, cutAfter] = [before!, after!].map((pad) => op.max(op.neg(pad), 0));
    const size = op.sub(op.sub(op.dim(x, axis), cutBefore!), cutAfter!);
    return {
      axis,
      before: op.max(before!, 0),
      after: op.max(after!, 0),
      cutBefore: cutBefore!,
      cutAfter: cutAfter!,
      size,
    };
  });
}

function isZero(op: Builder, size: Value): boolean {
  return op.integers(size)?.[0] === 0;
}

/** The inner part of dy, and each border that there is, through `back`, which makes it as long as the inner part. */
function foldedBack(
  op: Builder,
  dy: Value,
  border: Border,
  back: { left: (b: Value) => Value; right: (b: Value) => Value },
) {
  const { axis, before, after, size } = border;
  const inner = op.add(before, size);
  const part = (starts: Value, ends: Value) => op.slice(dy, { axes: [axis], starts, ends });
  const core = part(before, inner);
  const left = isZero(op, before) ? core : op.add(core, back.left(part(op.ints([0]), before)));
  return isZero(op, after) ? left : op.add(left, back.right(part(inner, op.add(inner, after))));
}

/** The left border is x[1..before] turned round, the right one x[size-1-after..size-2]: the outermost elements aren't doubled. */
function reflected(op: Builder, dy: Value, border: Border): Value {
  const { axis, before, after, size } = border;
  const turned = (part: Value) => op.slice(part, { axes: [axis], starts: [-1], ends: [-(2 ** 62)], steps: [-1] });
  const [one, last] = [op.ints([1]), op.sub(size, 1)];
  return foldedBack(op, dy, border, {
    left: (part) => padded(op, turned(part), [axis], [one, op.sub(last, before)]),
    right: (part) => padded(op, turned(part), [axis], [op.sub(last, after), one]),
  });
}

/** The borders are copies of the outermost elements: their sums go there. */
function repeated(op: Builder, dy: Value, border: Border): Value {
  const { axis, size } = border;
  const sum = (part: Value) => op.reduceSum(part, { axes: [axis] });
  const [none, last] = [op.ints([0]), op.sub(size, 1)];
  return foldedBack(op, dy, border, {
    left: (part) => padded(op, sum(part), [axis], [none, last]),
    right: (part) => padded(op, sum(part), [axis], [last, none]),
  });
}

/** y is x again and again, cut on both sides: dy, filled up with zeros to whole turns, is summed over the turns. */
function wrapped(op: Builder, dy: Value, { axis, before, after, size }: Border): Value {
  const missing = (border: Value) => op.mod(op.sub(size, op.mod(border, size)), size);
  const whole = padded(op, dy, [axis], [missing(before), missing(after)]);
  const sizes = Array.from({ length: op.rank(dy) }, (_, i) => (i < axis ? 0 : i === axis ? size : op.dim(dy, i)));
  const turns = op.reshape(whole, op.sizes([...sizes.slice(0, axis), -1, ...sizes.slice(axis)]));
  return op.reduceSum(turns, { axes: [axis], keepdims: false });
}

const list = (...values: number[]) => int64([values.length], values);

/** What was cut off at either side is padded there, and the other way round: the same operator, to the size of x. */
const centred: Vjp = ({ op, inputs: [x], dy, ints }) => {
  const axes = ints("axes");
  const sizes = axes
    ? op.concat(
        axes.map((axis) => op.dim(x!, axis)),
        0,
      )
    : op.shape(x!);
  return [op.shapedLike(op.node("CenterCropPad", [dy, sizes], { axes })[0]!, x!)];
};

export const pad = defineRules({
  CenterCropPad: {
    kind: "linear",
    vjp: centred,
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), int64([2], [2, 7])] },
      { inputs: [rng.normal([5, 3, 6]), int64([2], [3, 8])], attributes: { axes: [-1, 0] } },
    ],
  },
  Pad: {
    kind: "linear",
    vjp: (context) => (context.string("mode", "constant") === "constant" ? constant(context) : folded(context)),
    sample: (rng) => {
      const x = () => rng.normal([2, 3, 4, 5]);
      return [
        { inputs: [x(), list(0, 0, 1, 2, 0, 0, 3, 0)] },
        { inputs: [x(), list(0, 0, -1, 2, 0, 1, 0, -2), float32([], [0.5])] },
        { inputs: [x(), list(1, 2, 3, 0), float32([], [-2]), list(-1, 2)] },
        ...["reflect", "edge", "wrap"].flatMap((mode) => [
          { inputs: [x(), list(0, 0, 1, 2, 0, 0, 3, 0)], attributes: { mode }, opset: 19 },
          { inputs: [x(), list(2, 1, 0, 3), undefined, list(-2, 3)], attributes: { mode }, opset: 19 },
          { inputs: [x(), list(0, 0, 2, -2, 0, 0, -1, 1)], attributes: { mode }, opset: 19 },
        ]),
        // Round more than once (at the end only: ONNX Runtime 1.30 leaves a leading border beyond the axis unwritten), and a
        // border of one element repeated.
        { inputs: [rng.normal([2, 3]), list(0, 2, 0, 8)], attributes: { mode: "wrap" }, opset: 19 },
        { inputs: [rng.normal([2, 1]), list(1, 4, 0, 2)], attributes: { mode: "edge" } },
      ];
    },
  },
});
