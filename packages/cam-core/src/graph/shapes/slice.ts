import { addDims, ceilDivDims, compareDims, maxDims, minDims, mulDims, subDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import {
  axisIn,
  dimsOf,
  listOf,
  movedElements,
  type ShapeRules,
  small,
  stridesOf,
  unknownOfRank,
  withDim,
} from "./parts.ts";

/** Operators that cut tensors apart and put them together. */

/** Ends beyond this mean "to the end": exporters write INT_MAX or INT64_MAX. */
const beyond = 2 ** 31 - 2;

type Range = { start: Dim; end: Dim };

/**
 * Start and end inside a dimension, as ONNX has it: counted from the end where negative, cut to what is there. An expression
 * that may be of either sign is taken for a position from the start.
 */
function rangeIn(size: Dim, start: Dim, end: Dim, step: number): Range {
  const last = addDims(size, -1);
  const inside = (at: Dim, low: number, high: Dim): Dim => {
    if (typeof at === "number" && at >= beyond) return high;
    if (typeof at === "number" && at <= -beyond) return low;
    const negative = compareDims(at, 0) === -1;
    return minDims(maxDims(negative ? addDims(size, at) : at, low), high);
  };
  return step > 0
    ? { start: inside(start, 0, size), end: inside(end, 0, size) }
    : { start: inside(start, 0, last), end: inside(end, -1, last) };
}

function lengthOf({ start, end }: Range, step: number): Dim {
  const span = step > 0 ? subDims(end, start) : subDims(start, end);
  return ceilDivDims(maxDims(span, 0), Math.abs(step));
}

const slice: ShapeRule = (node) => {
  const input = node.shape(0);
  if (!input) return [{ dtype: node.dtype(0) }];
  const starts = dimsOf(node, "starts", 1);
  const ends = dimsOf(node, "ends", 2);
  const axes = listOf(node, "axes", 3);
  const steps = listOf(node, "steps", 4);
  const count = Array.isArray(starts) ? starts.length : node.shape(1)?.[0];
  if (axes === undefined || typeof count !== "number")
    return [{ dtype: node.dtype(0), shape: unknownOfRank(input.length) }];
  let shape: Shape = input;
  const from = new Map<number, { start: Dim; step: number }>();
  for (let i = 0; i < count; i++) {
    const axis = axisIn(axes === "absent" ? i : axes[i]!, input.length);
    const start = typeof starts === "object" ? starts[i]! : null;
    const end = typeof ends === "object" ? ends[i]! : null;
    const step = steps === "absent" ? 1 : steps?.[i];
    const range = step === undefined ? undefined : rangeIn(input[axis]!, start, end, step);
    shape = withDim(shape, axis, range ? lengthOf(range, step!) : null);
    from.set(axis, { start: range?.start ?? null, step: step ?? 1 });
  }
  const known = [...from.values()].every(({ start }) => typeof start === "number");
  const elements = known
    ? movedElements(node, shape, (index) =>
        index.map((at, axis) => {
          const { start, step } = from.get(axis) ?? { start: 0, step: 1 };
          return (start as number) + at * step;
        }),
      )
    : undefined;
  return [{ dtype: node.dtype(0), shape, elements }];
};

/** Sizes as given; equal parts otherwise, the last one smaller where they don't fit. */
function partsOf(node: ShapeContext, size: Dim): readonly Dim[] {
  const count = node.node.outputs.length;
  const given = dimsOf(node, "split", 1);
  if (given !== "absent") return given ?? Array<Dim>(count).fill(null);
  const parts = node.int("num_outputs", count);
  const each = ceilDivDims(size, parts);
  return Array.from({ length: parts }, (_, i) => (i < parts - 1 ? each : subDims(size, mulDims(each, parts - 1))));
}

const split: ShapeRule = (node) => {
  const input = node.shape(0);
  if (!input) return node.node.outputs.map(() => ({ dtype: node.dtype(0) }));
  const axis = axisIn(node.int("axis", 0), input.length);
  let start: Dim = 0;
  return partsOf(node, input[axis]!).map((part) => {
    const shape = withDim(input, axis, part);
    const offset = start;
    start = addDims(start, part);
    const elements =
      typeof offset === "number"
        ? movedElements(node, shape, (index) => index.map((at, i) => (i === axis ? at + offset : at)))
        : undefined;
    return { dtype: node.dtype(0), shape, elements };
  });
};

const concat: ShapeRule = (node) => {
  const shapes = node.node.inputs.map((_, i) => node.shape(i));
  const first = shapes.find((shape) => shape !== undefined);
  if (!first) return [{ dtype: node.dtype(0) }];
  const axis = axisIn(node.int("axis", 0), first.length);
  const shape = first.map((_, i) => {
    const dims = shapes.map((each) => each?.[i] ?? null);
    if (i === axis) return dims.reduce(addDims);
    return dims.find((dim) => typeof dim === "number") ?? dims.find((dim) => dim !== null) ?? null;
  });
  return [{ dtype: node.dtype(0), shape, elements: joined(node, shape, axis) }];
};

function joined(node: ShapeContext, shape: Shape, axis: number): readonly Dim[] | undefined {
  const target = small(shape);
  if (!target) return undefined;
  const parts = node.node.inputs.map((_, i) => ({ elements: node.elements(i), shape: node.shape(i) }));
  // One number of which nothing is known doesn't hide the others.
  const contents = parts.map(
    ({ elements, shape: own }) => elements ?? Array<Dim>(mulDims(...own!) as number).fill(null),
  );
  if (parts.every(({ elements }) => elements === undefined)) return undefined;
  const inner = stridesOf(target)[axis]!;
  const outer = target.slice(0, axis).reduce((a, b) => a * b, 1);
  const widths = parts.map(({ shape: own }) => (own![axis] as number) * inner);
  return Array.from({ length: outer }, (_, row) =>
    contents.flatMap((values, i) => values.slice(row * widths[i]!, (row + 1) * widths[i]!)),
  ).flat();
}

/** Begins of all axes, then ends; of `axes` alone where those are given. Negative pads cut away. */
const pad: ShapeRule = (node) => {
  const input = node.shape(0);
  if (!input) return [{ dtype: node.dtype(0) }];
  const pads = dimsOf(node, "pads", 1);
  const axes = listOf(node, "axes", 3);
  if (axes === undefined || typeof pads !== "object")
    return [{ dtype: node.dtype(0), shape: unknownOfRank(input.length) }];
  const padded = axes === "absent" ? [...input.keys()] : axes.map((axis) => axisIn(axis, input.length));
  const shape = [...input];
  for (const [i, axis] of padded.entries())
    shape[axis] = addDims(addDims(shape[axis]!, pads[i] ?? null), pads[i + padded.length] ?? null);
  // ONNX Runtime 1.30 ends the process where a border is mirrored or repeated about less than nothing.
  const short = shape.find((dim) => typeof dim === "number" && dim < 0);
  if (short !== undefined && node.string("mode", "constant") !== "constant")
    throw new Error(`it would have size ${short}`);
  return [{ dtype: node.dtype(0), shape }];
};

/** The given sizes, of all axes or of some. */
const centreCropPad: ShapeRule = (node) => {
  const shape = node.shape(0);
  const sizes = node.elements(1);
  const axes = node.ints("axes")?.map((axis) => axisIn(axis, shape?.length ?? 0));
  const made = shape?.map((dim, axis) => {
    const at = axes ? axes.indexOf(axis) : axis;
    return at < 0 ? dim : (sizes?.[at] ?? null);
  });
  return [{ dtype: node.dtype(0), shape: made }];
};

export const slices: ShapeRules = {
  Slice: slice,
  Split: split,
  Concat: concat,
  Pad: pad,
  CenterCropPad: centreCropPad,
};
