import type { Builder, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import { defineRules, type Vjp, type VjpContext } from "../rule.ts";

/** Operators that cut tensors apart and put them together. Sizes are 1-element values, which fold to constants where known. */

/** Ends beyond this mean "to the end": exporters write INT_MAX or INT64_MAX. */
const beyond = 2 ** 31 - 1;

function axisOf({ op, inputs: [x], int }: VjpContext, otherwise: number): number {
  const axis = int("axis", otherwise);
  return axis < 0 ? axis + op.rank(x!) : axis;
}

/** Each input gets its own stretch of dy: one Split where all are wanted, a Slice each where only some are. */
const concatenated: Vjp = (context) => {
  const { op, inputs, dy, wants } = context;
  const axis = axisOf(context, 0);
  const sizes = inputs.map((input) => op.dim(input, axis));
  if (inputs.length === 1) return [dy];
  if (inputs.every((_, i) => wants(i))) {
    const parts = op.split(dy, { axis, sizes: op.concat(sizes, 0), outputs: inputs.length });
    return parts.map((part, i) => op.shapedLike(part, inputs[i]!));
  }
  let end = op.ints([0]);
  return inputs.map((input, i) => {
    const start = end;
    end = op.add(start, sizes[i]!);
    return wants(i) ? op.shapedLike(op.slice(dy, { axes: [axis], starts: start, ends: end }), input) : null;
  });
};

/**
 * The cotangents side by side again. Outputs that none flows back from count as zeros: those at either end are padded on,
 * those between two others are made.
 */
const split: Vjp = (context) => {
  const { op, inputs, dys } = context;
  const x = inputs[0]!;
  const axis = axisOf(context, 0);
  const sizes = partSizes(context, axis);
  const given = dys.flatMap((dy, i) => (dy === null ? [] : [i]));
  const first = given[0]!;
  const last = given.at(-1)!;
  const like = dys[first]!;
  const zeros = (size: Value) =>
    op.expand(
      op.scalar(0, op.dtype(like)),
      op.concat(
        Array.from({ length: op.rank(x) }, (_, i) => (i === axis ? size : op.dim(like, i))),
        0,
      ),
    );
  const parts = dys.slice(first, last + 1).map((dy, i) => dy ?? zeros(sizes[first + i]!));
  const missing = (list: readonly Value[]) => list.reduce((a, b) => op.add(a, b), op.ints([0]));
  const pads = [missing(sizes.slice(0, first)), missing(sizes.slice(last + 1))];
  return [op.shapedLike(padded(op, op.concat(parts, axis), [axis], pads), x)];
};

/** The size of each part: given as a list, or ceil(size / count) each with what is left in the last. */
function partSizes({ op, inputs: [x, given], outputs, int }: VjpContext, axis: number): Value[] {
  if (given) return outputs.map((_, i) => op.slice(given, { axes: [0], starts: [i], ends: [i + 1] }));
  const count = int("num_outputs", outputs.length);
  const size = op.dim(x!, axis);
  const each = op.div(op.add(size, count - 1), count);
  return outputs.map((_, i) => (i < count - 1 ? each : op.sub(size, op.mul(each, count - 1))));
}

/** Zeros before and after along some axes, in one Pad; nothing where there are none. `pads`: leading ones, then trailing. */
export function padded(op: Builder, x: Value, axes: readonly number[], pads: readonly Value[]): Value {
  const list = op.concat(pads, 0);
  return op.integers(list)?.every((pad) => pad === 0) ? x : op.pad(x, list, 0, "constant", axes);
}

/** Where one axis was cut: x[first + k·step] became y[k], for k below `length`. */
type Cut = { axis: number; size: Value; first: Value; length: Value; step: number };

/**
 * Backward of Slice puts dy back between zeros: one Pad for a contiguous slice. A negative step first turns dy round. A step
 * s > 1 spreads dy out: each element becomes s of them, the others zero, as an axis of its own that is padded and merged.
 */
const slice: Vjp = (context) => {
  const { op, inputs, dy } = context;
  const cuts = cutsOf(context);
  const axes = cuts.map(({ axis }) => axis);
  const turned = cuts.filter(({ step }) => step < 0).map(({ axis }) => axis);
  const steps = turned.map(() => -1);
  let spread =
    turned.length === 0 ? dy : op.slice(dy, { axes: turned, starts: steps, ends: steps.map(() => -(2 ** 62)), steps });
  const before: Value[] = [];
  const after: Value[] = [];
  const spaced = new Map<number, { phase: number; stride: number }>();
  for (const { axis, size, first, length, step } of cuts) {
    const stride = Math.abs(step);
    const low = step > 0 ? first : op.sub(first, op.mul(op.sub(length, 1), stride));
    const phase = (op.integers(low)?.[0] ?? 0) % stride;
    if (stride > 1) spaced.set(axis, { phase, stride });
    before.push(op.sub(low, phase));
    after.push(op.sub(op.sub(size, op.sub(low, phase)), op.mul(length, stride)));
  }
  if (spaced.size > 0) spread = spreadOut(op, spread, spaced);
  return [op.shapedLike(padded(op, spread, axes, [...before, ...after]), inputs[0]!)];
};

/** Puts each element at `phase` among `stride` places along its axis, zeros at the others. */
function spreadOut(op: Builder, dy: Value, spaced: ReadonlyMap<number, { phase: number; stride: number }>): Value {
  const axes = [...spaced.keys()].sort((a, b) => a - b);
  const places = axes.map((axis, i) => axis + i + 1);
  const pads = [
    ...axes.map((axis) => spaced.get(axis)!.phase),
    ...axes.map((axis) => spaced.get(axis)!.stride - 1 - spaced.get(axis)!.phase),
  ];
  const own = op.pad(op.unsqueeze(dy, places), pads, 0, "constant", places);
  const sizes = Array.from({ length: op.rank(dy) }, (_, axis) =>
    op.mul(op.dim(dy, axis), spaced.get(axis)?.stride ?? 1),
  );
  return op.reshape(own, op.sizes(sizes));
}

function cutsOf({ op, inputs: [x, starts, ends, axes, steps], refuse }: VjpContext): Cut[] {
  const count = op.dims(starts!)?.[0];
  const chosen = axes ? op.integers(axes) : typeof count === "number" ? [...Array(count).keys()] : undefined;
  if (!chosen) throw refuse("which axes are sliced is not known before the run");
  const strides = steps ? op.integers(steps) : chosen.map(() => 1);
  if (!strides) throw refuse("the steps are not known before the run");
  return chosen.map((given, i): Cut => {
    const axis = given < 0 ? given + op.rank(x!) : given;
    const size = op.dim(x!, axis);
    const step = strides[i]!;
    const bound = (list: Value) => boundOf(op, list, i, size, step);
    const first = bound(starts!);
    const span = step > 0 ? op.sub(bound(ends!), first) : op.sub(first, bound(ends!));
    const stride = Math.abs(step);
    const length = op.max(stride === 1 ? span : op.div(op.add(span, stride - 1), stride), 0);
    return { axis, size, first, length, step };
  });
}

/**
 * A start or an end as a position: counted from the end where negative, then held inside the axis (for a negative step, from
 * one before the first to the last, as in NumPy).
 */
function boundOf(op: Builder, list: Value, i: number, size: Value, step: number): Value {
  const [low, high] = step > 0 ? [0, size] : [-1, op.sub(size, 1)];
  const known = op.integers(list)?.[i];
  if (known !== undefined && known >= beyond) return high;
  if (known !== undefined && known <= -beyond) return op.ints([low]);
  if (known === 0) return op.ints([0]);
  const given = op.slice(list, { axes: [0], starts: [i], ends: [i + 1] });
  const wide = op.cast(given, "int64");
  const position = op.where(op.less(wide, 0), op.add(wide, size), wide);
  return op.min(op.max(position, low), high);
}

export const cut = defineRules({
  Concat: {
    kind: "linear",
    vjp: concatenated,
    sample: (rng) => [
      { inputs: [rng.normal([2, 1, 3]), rng.normal([2, 4, 3]), rng.normal([2, 2, 3])], attributes: { axis: 1 } },
      { inputs: [rng.normal([2, 3]), rng.normal([2, 1])], attributes: { axis: -1 } },
      { inputs: [rng.normal([2, 3]), rng.normal([4, 3]), rng.normal([1, 3])], attributes: { axis: 0 }, wrt: [0, 2] },
      { inputs: [rng.normal([2, 3])], attributes: { axis: 1 } },
    ],
  },
  Split: {
    kind: "linear",
    vjp: split,
    sample: (rng) => [
      // Only one output has a cotangent: the others count as zero.
      ...[0, 1, 2].map((output) => ({
        inputs: [rng.normal([2, 7]), int64([3], [2, 4, 1])],
        attributes: { axis: 1 },
        outputs: 3,
        output,
      })),
      { inputs: [rng.normal([7, 2])], attributes: { num_outputs: 3 }, outputs: 3, output: 2 },
      { inputs: [rng.normal([2, 3, 6])], attributes: { axis: -2, num_outputs: 3 }, outputs: 3, output: 1 },
    ],
  },
  Slice: {
    kind: "linear",
    vjp: slice,
    sample: (rng) => {
      const x = () => rng.normal([2, 5, 7]);
      const list = (...values: number[]) => int64([values.length], values);
      return [
        { inputs: [x(), list(1, 2), list(2, 6)] },
        { inputs: [x(), list(-3), list(2 ** 31 - 1), list(-1)] },
        { inputs: [x(), list(0, 1), list(-1, 2 ** 62), list(2, 1), list(1, 1)] },
        // Steps that divide and steps that don't, from both phases.
        { inputs: [x(), list(0, 1), list(100, 100), list(1, 2), list(2, 3)] },
        { inputs: [x(), list(4), list(6), list(2), list(2)] },
        // Turned round: in full, and every other element.
        { inputs: [x(), list(-1), list(-(2 ** 62)), list(2), list(-1)] },
        { inputs: [x(), list(3, 5), list(0, -7), list(1, 2), list(-1, -2)] },
        // Ends that an axis is too short for.
        { inputs: [float32([3], [1, 2, 3]), list(-9), list(9)] },
      ];
    },
  },
});
