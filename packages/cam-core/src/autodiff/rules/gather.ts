import type { Builder, Value } from "../../graph/builder.ts";
import { bool, float32, float64, int64, sizeOf } from "../../tensor.ts";
import { derived } from "../derived.ts";
import { defineRules, type Vjp, type VjpContext, zero } from "../rule.ts";
import { padded } from "./cut.ts";
import { constantIntegers, indicesAlong, scatterAdd, summedIn } from "./scatter.ts";

/** Operators that pick by index, and those that write by index: backward of the one is the other. */

function axisOf({ op, inputs: [x], int, refuse }: VjpContext): number {
  const axis = int("axis", 0);
  const rank = op.rank(x!);
  if (axis < -rank || axis >= rank) throw refuse(`axis ${axis} is none of the ${rank} that "${x}" has`);
  return axis < 0 ? axis + rank : axis;
}

/** Backward of Gather adds each picked slice's cotangent to where it was picked; the axes of the indices become one first. */
const gathered: Vjp = (context) => {
  const { op, inputs, dy } = context;
  const [x, indices] = inputs as [Value, Value];
  const axis = axisOf(context);
  const after = op.rank(x) - 1 - axis;
  const sizes = [...Array(axis).fill(0), -1, ...Array.from({ length: after }, (_, i) => op.dim(x, axis + 1 + i))];
  const rank = op.rank(indices);
  const slices = rank === 1 ? dy : rank === 0 ? op.unsqueeze(dy, [axis]) : op.reshape(dy, op.sizes(sizes));
  return [op.shapedLike(placed(op, x, indices, slices, axis), x)];
};

/**
 * Slices back at their indices. Constant indices without repeats need no adding: a run of neighbours, such as the class
 * token's one index, is padded with zeros; others are looked up the other way round, in a table that leads every place
 * nothing was picked from to an appended slice of zeros.
 */
function placed(op: Builder, x: Value, indices: Value, slices: Value, axis: number): Value {
  const size = op.dims(x)?.[axis];
  const known = constantIntegers(op, indices)?.map((at) => (at < 0 && typeof size === "number" ? at + size : at)) ?? [];
  const [first, last, count] = [known[0]!, known.at(-1)!, known.length];
  if (count > 0 && known.every((at, i) => at === first + i) && first < 0 === last < 0) {
    const room = op.sub(op.dim(x, axis), count);
    const pads = first < 0 ? [op.add(room, last + 1), op.ints([-1 - last])] : [op.ints([first]), op.sub(room, first)];
    return padded(op, slices, [axis], pads);
  }
  // Indices beyond the end are for the runtime to refuse.
  const isWithin = typeof size === "number" && known.every((at) => at >= 0 && at < size);
  if (count > 0 && isWithin && new Set(known).size === count) {
    const table = Array<number>(size).fill(count);
    for (const [i, at] of known.entries()) table[at] = i;
    return op.gather(padded(op, slices, [axis], [op.ints([0]), op.ints([count < size ? 1 : 0])]), op.ints(table), axis);
  }
  return scatterAdd(op, op.shape(x), indicesAlong(op, indices, axis, slices), slices, axis);
}

/**
 * Backward of GatherND. Rows of indices reach into the axes after the batch axes; together with the position in the batch
 * each becomes the number of a row of x, flattened to [rows, inner].
 */
const gatheredND: Vjp = ({ op, inputs, dy, int, refuse }) => {
  const [x, indices] = inputs as [Value, Value];
  const batchDims = int("batch_dims", 0);
  const depth = op.dims(indices)?.at(-1);
  if (typeof depth !== "number") throw refuse("how many axes the indices reach into is not known before the run");
  if (batchDims === 0 && distinctRows(op, x, indices, depth))
    return [op.shapedLike(op.scatterND(op.fillLike(x, 0), indices, dy), x)];
  const { rows, flat, inner } = rowsOf(op, x, indices, depth, batchDims);
  const updates = op.reshape(dy, op.concat([op.ints([-1]), inner], 0));
  return [op.reshapeLike(scatterAdd(op, flat, indicesAlong(op, rows, 0, updates), updates, 0), x)];
};

/**
 * Indices into `depth` axes of x, after the batch axes, as numbers of rows of x flattened to `flat` = [rows, inner]. What they
 * point at is `inner` long.
 */
function rowsOf(op: Builder, x: Value, indices: Value, depth: number, batchDims: number) {
  const sizes = Array.from({ length: depth }, (_, i) => op.dim(x, batchDims + i));
  // Row-major: an index along one axis counts as many rows as the axes after it hold.
  const strides = sizes.map((_, i) => sizes.slice(i + 1).reduce((a, b) => op.mul(a, b), op.ints([1])));
  const positions = op.where(op.less(indices, 0), op.add(indices, op.concat(sizes, 0)), indices);
  let rows = op.reduceSum(op.mul(positions, op.concat(strides, 0)), { axes: [-1], keepdims: false });
  const each = op.mul(sizes[0]!, strides[0]!);
  const batch = range(0, batchDims)
    .map((axis) => op.dim(x, axis))
    .reduce((a, b) => op.mul(a, b), op.ints([1]));
  if (batchDims > 0) {
    const number = op.range(op.scalar(0, "int64"), op.squeeze(batch, [0]), op.scalar(1, "int64"));
    const offset = op.reshape(op.mul(number, each), [-1, 1]);
    rows = op.add(op.reshape(rows, op.concat([batch, op.ints([-1])], 0)), offset);
  }
  const inner = range(batchDims + depth, op.rank(x))
    .map((axis) => op.dim(x, axis))
    .reduce((a, b) => op.mul(a, b), op.ints([1]));
  return { rows, flat: op.concat([op.mul(batch, each), inner], 0), inner };
}

/** Whether the rows of indices are constants that all lead to different places. */
function distinctRows(op: Builder, x: Value, indices: Value, depth: number): boolean {
  const known = constantIntegers(op, indices);
  if (!known) return false;
  const size = op.dims(x) ?? [];
  const positions = known.map((at, i) => (at < 0 ? at + Number(size[i % depth]) : at));
  const rows = range(0, known.length / depth).map((row) => positions.slice(row * depth, (row + 1) * depth).join());
  return positions.every((at) => at >= 0) && new Set(rows).size === rows.length;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** What is overwritten gets nothing back; what is added to keeps all; where the larger (smaller) one stays, ties share. */
const scattered: Vjp = (context) => {
  const { op, inputs, outputs, dy, wants, string } = context;
  const [x, indices, updates] = inputs as [Value, Value, Value];
  const axis = axisOf(context);
  const reduction = string("reduction", "none");
  const picked = () => op.gatherElements(dy, indices, axis);
  if (reduction === "none") {
    const zeros = () => op.fillLike(updates, 0);
    return [wants(0) ? op.scatterElements(dy, indices, zeros(), axis) : null, null, wants(2) ? picked() : null];
  }
  if (reduction === "add") return [dy, null, wants(2) ? picked() : null];
  if (reduction === "mul")
    return [
      wants(0) ? op.scatterElements(dy, indices, updates, axis, "mul") : null,
      null,
      wants(2) ? op.mul(op.gatherElements(op.mul(dy, x), indices, axis), othersThere(context, axis)) : null,
    ];
  const [y] = outputs as [Value];
  const wide = summedIn(op.dtype(x));
  const kept = op.equal(x, y);
  const written = op.equal(updates, op.gatherElements(y, indices, axis));
  const tied = op.scatterElements(op.cast(kept, wide), indices, op.cast(written, wide), axis, "add");
  const share = op.div(dy, op.cast(tied, op.dtype(dy)));
  return [
    wants(0) ? op.where(kept, share, 0) : null,
    null,
    wants(2) ? op.where(written, op.gatherElements(share, indices, axis), 0) : null,
  ];
};

/** For each update the product of all others that go to its place. Nothing is divided, so zeros are right; size² memory. */
function othersThere({ op, inputs }: VjpContext, axis: number): Value {
  const [x, indices, updates] = inputs as [Value, Value, Value];
  const places = op.where(op.less(indices, 0), op.add(indices, op.squeeze(op.dim(x, axis), [0])), indices);
  const together = op.equal(op.unsqueeze(places, [axis + 1]), op.unsqueeze(places, [axis]));
  const behind = Array.from({ length: op.rank(x) - axis - 1 }, (_, i) => i + 2);
  const itself = op.unsqueeze(op.greater(op.eye(op.dim(indices, axis), op.dtype(updates)), 0), behind);
  const met = op.where(op.and(together, op.not(itself)), op.unsqueeze(updates, [axis]), 1);
  return op.reduceProd(met, { axes: [axis + 1], keepdims: false });
}

const scatteredND: Vjp = (context) => {
  const { op, inputs, dy, wants, string, refuse } = context;
  const [x, indices, updates] = inputs as [Value, Value, Value];
  const reduction = string("reduction", "none");
  if (reduction === "none" || reduction === "add") {
    const around = () => (reduction === "add" ? dy : op.scatterND(dy, indices, op.fillLike(updates, 0)));
    return [wants(0) ? around() : null, null, wants(2) ? op.gatherND(dy, indices) : null];
  }
  const depth = op.dims(indices)?.at(-1);
  if (typeof depth !== "number") throw refuse("how many axes the indices reach into is not known before the run");
  // On rows of x, it is ScatterElements.
  const { rows, flat, inner } = rowsOf(op, x, indices, depth, 0);
  return derived(context, ([data, , given]) => {
    const each = op.reshape(given!, op.concat([op.ints([-1]), inner], 0));
    const at = indicesAlong(op, rows, 0, each);
    return [op.reshapeLike(op.scatterElements(op.reshape(data!, flat), at, each, 0, reduction), x)];
  });
};

/** Compress is a Gather at the places where the condition holds; without an axis x counts as flat. */
const compressed: Vjp = (context) => {
  const { op, node, inputs, dy } = context;
  const [x, condition] = inputs as [Value, Value];
  const flat = node.attributes.axis === undefined;
  const axis = flat ? 0 : axisOf(context);
  const zeros = op.fillLike(x, 0);
  const places = indicesAlong(op, op.nonZero(condition), axis, dy);
  const spread = op.scatterElements(flat ? op.reshape(zeros, [-1]) : zeros, places, dy, axis);
  return [flat ? op.reshapeLike(spread, x) : op.shapedLike(spread, x)];
};

/** The one value is written where the index points, the other everywhere else. */
const chosenBetween: Vjp = ({ op, inputs, dy, wants, int }) => {
  const [indices, depth, values] = inputs as [Value, Value, Value];
  const dtype = op.dtype(dy);
  const numbers = op.constant(dtype === "float64" ? float64([2], [0, 1]) : float32([2], [0, 1]));
  const on = op.node("OneHot", [indices, depth, numbers], { axis: int("axis", -1) })[0]!;
  const sum = (value: Value) => op.reshape(op.reduceSum(value, { axes: "all", keepdims: false }), [1]);
  const off = op.sub(1, on);
  return [
    null,
    null,
    wants(2) ? op.shapedLike(op.concat([sum(op.mul(dy, off)), sum(op.mul(dy, on))], 0), values) : null,
  ];
};

const list = (...values: number[]) => int64([values.length], values);

export const gather = defineRules({
  Gather: {
    kind: "linear",
    vjp: gathered,
    sample: (rng) => {
      const x = () => rng.normal([2, 5, 3]);
      return [
        // The class token, by its index alone and as a list.
        { inputs: [x(), int64([], [0])], attributes: { axis: 1 } },
        { inputs: [x(), list(-1)], attributes: { axis: 1 } },
        { inputs: [x(), list(1, 2, 3)], attributes: { axis: -2 } },
        { inputs: [x(), int64([1, 1], [2])], attributes: { axis: 2 } },
        // No repeats: a permutation, and places that nothing is picked from.
        { inputs: [x(), list(3, 0, 4, 1, 2)], attributes: { axis: 1 } },
        { inputs: [x(), list(-1, 1)], attributes: { axis: 1 } },
        { inputs: [rng.normal([6]), int64([2, 2], [5, 0, 2, 1])] },
        // Repeats add up.
        { inputs: [x(), list(1, 1, 0)] },
        { inputs: [x(), int64([2, 3], [4, 0, -1, 2, 2, 4])], attributes: { axis: 1 } },
        { inputs: [x(), int64([2, 2], [0, 0, -3, 1])], attributes: { axis: -1 } },
        { inputs: [rng.normal([4]), list(1, 1, 3)] },
      ];
    },
  },
  GatherElements: {
    kind: "linear",
    vjp: (context) => {
      const { op, inputs, dy } = context;
      const [x, indices] = inputs as [Value, Value];
      return [op.shapedLike(scatterAdd(op, op.shape(x), indices, dy, axisOf(context)), x)];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3]), int64([2, 2], [0, 0, 2, -3])], attributes: { axis: 1 } },
      { inputs: [rng.normal([3, 4]), int64([2, 3], [2, 0, 1, 2, 0, 0])] },
      { inputs: [rng.normal([2, 3, 4]), rng.ints(4, [2, 3, 5])], attributes: { axis: -1 } },
    ],
  },
  GatherND: {
    kind: "linear",
    vjp: gatheredND,
    sample: (rng) => [
      { inputs: [rng.normal([3, 4, 2]), int64([2, 2], [0, 1, -1, 3])] },
      { inputs: [rng.normal([3, 4, 2]), int64([3, 2], [0, 1, 2, 3, -3, -3])] },
      { inputs: [rng.normal([3, 4]), int64([2, 2, 1], [0, 2, 2, 1])] },
      { inputs: [rng.normal([3, 4]), int64([3, 2], [0, 2, 2, 1, 0, 2])] },
      { inputs: [rng.normal([2, 4, 3]), int64([2, 3, 1], [0, 3, 0, -1, 2, 2])], attributes: { batch_dims: 1 } },
      { inputs: [rng.normal([2, 2, 4, 3]), rng.ints(3, [2, 2, 5, 2])], attributes: { batch_dims: 2 } },
    ],
  },
  ScatterElements: {
    kind: "kinked", // in the data and the updates, where the larger or smaller one stays
    vjp: scattered,
    sample: (rng) => {
      const indices = int64([2, 2], [0, 3, 2, -4]);
      const repeated = int64([2, 3], [1, 1, 3, 0, 2, 0]);
      return [
        { inputs: [rng.normal([2, 4]), indices, rng.normal([2, 2])], attributes: { axis: 1 } },
        { inputs: [rng.normal([3, 4]), int64([1, 3], [2, 0, 1]), rng.normal([1, 3])] },
        { inputs: [rng.normal([2, 4]), repeated, rng.normal([2, 3])], attributes: { axis: -1, reduction: "add" } },
        {
          inputs: [rng.normal([2, 4]), repeated, rng.normal([2, 3])],
          attributes: { axis: 1, reduction: "mul" },
        },
        {
          inputs: [rng.normal([3, 4]), int64([1, 3], [2, -3, 1]), rng.normal([1, 3])],
          attributes: { reduction: "mul" },
        },
        ...["max", "min"].map((reduction) => {
          const values = rng.distinct([14]).data as Float32Array;
          const [x, updates] = [float32([2, 4], values.subarray(0, 8)), float32([2, 3], values.subarray(8))];
          return { inputs: [x, repeated, updates], attributes: { axis: 1, reduction } };
        }),
      ];
    },
  },
  ScatterND: {
    kind: "kinked", // as ScatterElements
    vjp: scatteredND,
    sample: (rng) => [
      { inputs: [rng.normal([4, 3]), int64([2, 1], [3, -4]), rng.normal([2, 3])] },
      { inputs: [rng.normal([4, 3]), int64([2, 2], [3, 1, 0, 2]), rng.normal([2])], attributes: { reduction: "add" } },
      { inputs: [rng.normal([4, 3]), int64([3, 1], [3, 1, 3]), rng.normal([3, 3])], attributes: { reduction: "add" } },
      ...["mul", "max", "min"].flatMap((reduction) => {
        const data = (shape: readonly number[], from: number) =>
          float32(shape, (values.data as Float32Array).subarray(from, from + sizeOf(shape)));
        const values = rng.distinct([12 + 9]);
        return [
          { inputs: [data([4, 3], 0), int64([3, 1], [3, 1, -1]), data([3, 3], 12)], attributes: { reduction } },
          { inputs: [data([4, 3], 0), int64([3, 2], [3, 1, 0, 2, -1, 1]), data([3], 12)], attributes: { reduction } },
          {
            inputs: [data([2, 2, 3], 0), int64([2, 1, 2], [0, 1, 1, 1]), data([2, 1, 3], 12)],
            attributes: { reduction },
          },
        ];
      }),
    ],
  },
  Compress: {
    kind: "linear",
    vjp: compressed,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 2]), bool([3], [true, false, true])], attributes: { axis: 1 } },
      { inputs: [rng.normal([2, 3, 2]), bool([1], [true])], attributes: { axis: -2 } },
      { inputs: [rng.normal([2, 3]), bool([5], [false, true, true, false, true])] },
    ],
  },
  OneHot: {
    kind: "linear",
    vjp: chosenBetween,
    sample: (rng) => [
      { inputs: [int64([3], [1, 0, -1]), int64([], [3]), rng.normal([2])] },
      { inputs: [int64([2, 2], [1, 0, 2, 5]), int64([], [4]), rng.normal([2])], attributes: { axis: 1 } },
    ],
  },
  Unique: zero("which values are distinct is a choice that jumps; PyTorch's unique carries no gradient either"),
  NonMaxSuppression: zero("its output is indices"),
});
