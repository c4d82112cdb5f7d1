import {
  type Dim,
  type Graph,
  type Node,
  numberAttribute,
  numbersAttribute,
  type Shape,
  topological,
} from "../graph/graph.ts";
import { type Facts, unforeseen } from "../graph/infer.ts";
import { naming } from "../naming.ts";
import { type Axes, type Axis, batch, channel, isSpace, other, type SpaceAxis, spaceAxis } from "./axis.ts";
import { coarser, reshapeAxes } from "./reshape-axes.ts";

/** Axes of a model input by its layout letters: N batch, C channel, the rest (D H W, T, L) space in order. */
export function axesFromLayout(layout: string, shape: Shape): Axes {
  let next = 0;
  return [...layout].map((letter, i) => {
    if (letter === "N") return batch;
    return letter === "C" ? channel : spaceAxis(next++, shape[i] ?? null);
  });
}

/** A thinner third axis with smaller ones behind it is a volume's depth. */
const smallestFrame = 16;

/** The layout of a picture-like input when no manifest says it: channels are the small axis, first if both could be. Of a clip, channels follow the frames. */
export function guessLayout(shape: Shape): string | undefined {
  // A clip of frames: colours on the third axis, none on the second, and pictures behind.
  const isColour = (dim: Dim | undefined) => dim === 1 || dim === 3;
  const isSide = (dim: Dim) => typeof dim !== "number" || dim >= smallestFrame;
  if (shape.length === 5 && isColour(shape[2]) && !isColour(shape[1]) && shape.slice(3).every(isSide)) return "NTCHW";
  const space = ["", "L", "HW", "DHW"][shape.length - 2];
  if (!space) return undefined;
  const small = (dim: Dim | undefined) => typeof dim === "number" && dim <= 4;
  return small(shape.at(-1)) && !small(shape[1]) ? `N${space}C` : `NC${space}`;
}

/**
 * Follows what each axis means from the inputs through the graph. A value that isn't in the result has axes of which nothing
 * is known.
 */
export function inferAxes(graph: Graph, facts: Facts, inputs: ReadonlyMap<string, Axes>): Map<string, Axes> {
  const known = new Map<string, Axes>(inputs);
  const coarse = new Map<Axis, Axis>();
  for (const node of topological(graph)) {
    const shapes = node.inputs.map((name) => facts.types.get(name)?.shape);
    const axes = node.inputs.map((name) => known.get(name));
    node.outputs.forEach((name, output) => {
      const shape = facts.types.get(name)?.shape;
      if (!shape) return;
      const rule = node.domain === "" ? (rules[node.opType] ?? elementwise) : elementwise;
      const result = naming(
        () => rule({ node, axes, shapes, shape, facts, output }),
        (cause) => unforeseen("axes", node, cause),
      );
      if (result && result.length === shape.length && result.some((axis) => axis.kind !== "other"))
        known.set(name, coarser(result, coarse));
    });
  }
  return known;
}

type Rule = (context: {
  node: Node;
  axes: readonly (Axes | undefined)[];
  shapes: readonly (Shape | undefined)[];
  /** Shape of the output in question. */
  shape: Shape;
  facts: Facts;
  output: number;
}) => Axes | undefined;

/**
 * Inputs broadcast from the right; an axis takes the meaning of the operand that has its full extent. Right for every
 * operator that treats positions alike, and harmless for the rest: a wrong rank gives no answer.
 */
const elementwise: Rule = ({ axes, shapes, shape }) => {
  if (axes.every((a) => a === undefined)) return undefined;
  return shape.map((dim, i) => {
    for (const [input, candidate] of axes.entries()) {
      const at = i - shape.length + (candidate?.length ?? 0);
      const axis = at < 0 ? undefined : candidate?.[at];
      if (axis && axis.kind !== "other" && (shapes[input]?.[at] === dim || dim === null)) return axis;
    }
    return other;
  });
};

/** Batch and channel, then the input's space with new extents. */
const convolution: Rule = ({ axes, shape }) => {
  const x = axes[0];
  return shape.map((dim, i) => {
    if (i === 0) return x?.[0] ?? batch;
    if (i === 1) return channel;
    const source = x?.[i];
    return isSpace(source) && source.axes.length === 1 && source.prefix + source.suffix === 0
      ? spaceAxis(source.axes[0]!, dim)
      : other;
  });
};

/** Rows of the first operand stay; the last axis becomes channels when it is multiplied with a weight. */
const matMul: Rule = ({ axes, shapes, shape }) => {
  const [a, b] = axes;
  if (a === undefined && b === undefined) return undefined;
  const rank = shape.length;
  const leading = elementwise({
    axes: [a?.slice(0, -2), b?.slice(0, -2)],
    shapes: [shapes[0]?.slice(0, -2), shapes[1]?.slice(0, -2)],
    shape: shape.slice(0, -2),
  } as never);
  const row = a?.at(-2) ?? other;
  const contracted = a?.at(-1);
  const column: Axis = b?.at(-1) ?? (a && contracted && isMixed(contracted) ? channel : other);
  return [...(leading ?? Array.from({ length: Math.max(0, rank - 2) }, () => other)), row, column];
};

/** What a weight mixes into channels: channels, also with neighbouring positions laid beside them (patches that are merged). */
function isMixed(axis: Axis): boolean {
  const isOfChannels = (part: Axis): boolean =>
    part.kind === "channel" || (part.kind === "part" && (part.index > 0 || isOfChannels(part.whole)));
  return axis.kind === "other" || (axis.kind === "merged" ? axis.parts.every(isOfChannels) : isOfChannels(axis));
}

const transpose: Rule = ({ node, axes, shape }) => {
  const x = axes[0];
  const perm = numbersAttribute(node, "perm") ?? shape.map((_, i) => shape.length - 1 - i);
  return x && perm.map((axis) => x[axis] ?? other);
};

/**
 * Axes are matched in groups of equal product, from the left; sizes of 1 come and go. A batch of one that an earlier reshape
 * dropped comes back as the first axis.
 */
const reshape: Rule = ({ axes, shapes, shape }) => {
  if (!axes[0] || !shapes[0]) return undefined;
  const result = reshapeAxes(axes[0], shapes[0], shape);
  const lost = shape[0] === 1 && result[0]?.kind === "other" && !axes[0].some((axis) => axis.kind === "batch");
  return lost ? [batch, ...result.slice(1)] : result;
};

const squeeze: Rule = (context) => reshape(context);

/** Axes that are reduced away are gone; kept ones of size 1 mean nothing. */
const reduce: Rule = ({ node, axes, shapes, shape, facts }) => {
  const x = axes[0];
  if (!x || !shapes[0]) return undefined;
  const given =
    facts.elements.get(node.inputs[1] ?? "") ??
    numbersAttribute(node, "axes") ??
    (node.opType.startsWith("Arg") ? [numberAttribute(node, "axis", 0)] : x.map((_, i) => i));
  const reduced = new Set(given.map((axis) => (Number(axis) < 0 ? Number(axis) + x.length : Number(axis))));
  if (numberAttribute(node, "keepdims", 1) === 1) return x.map((axis, i) => (reduced.has(i) ? other : axis));
  const left = x.filter((_, i) => !reduced.has(i));
  return left.length === shape.length ? left : undefined;
};

/** Along a token axis, values without a grid (a class token) become prefix or suffix; equal meanings elsewhere stay. */
const concat: Rule = ({ node, axes, shapes, shape }) => {
  const axis = axisOf(node, shape.length, 0);
  const main = axes.findIndex((a) => isSpace(a?.[axis]));
  const base = axes[main] ?? axes.find((a) => a !== undefined);
  if (!base) return undefined;
  return base.map((role, i) => {
    if (i !== axis || !isSpace(role)) return role;
    const sizes = shapes.map((s) => s?.[axis]);
    const around = (list: (Dim | undefined)[]) =>
      list.every((size) => typeof size === "number") ? (list as number[]).reduce((a, b) => a + b, 0) : undefined;
    const before = around(sizes.slice(0, main));
    const after = around(sizes.slice(main + 1));
    if (before === undefined || after === undefined || axes.some((a, input) => input !== main && isSpace(a?.[axis])))
      return other;
    return { ...role, prefix: role.prefix + before, suffix: role.suffix + after };
  });
};

/** Cutting off exactly the prefix or suffix leaves the grid; any other cut along space loses the place. */
const slice: Rule = ({ node, axes, shapes, shape, facts }) => {
  const x = axes[0];
  if (!x) return undefined;
  const ints = (input: number) => facts.elements.get(node.inputs[input] ?? "");
  const which = ints(3) ?? ints(1)?.map((_, i) => i);
  return x.map((role, i) => {
    if (!isSpace(role) || shape[i] === shapes[0]?.[i]) return role;
    const at = which?.findIndex((axis) => axis === i || Number(axis) + x.length === i) ?? -1;
    const start = ints(1)?.[at];
    const step = ints(4)?.[at] ?? 1;
    if (typeof start !== "number" || typeof step !== "number") return other;
    // Every second position is the same axis at a lower resolution.
    if (step > 1)
      return role.axes.length === 1 && role.prefix + role.suffix === 0 ? spaceAxis(role.axes[0]!, shape[i]!) : other;
    return cut(role, start, shapes[0]?.[i], shape[i]);
  });
};

function cut(role: SpaceAxis, start: number, before: Dim | undefined, after: Dim | undefined): Axis {
  if (typeof before !== "number" || typeof after !== "number") return other;
  const from = start < 0 ? start + before : start;
  const end = before - from - after;
  if (from > role.prefix || end > role.suffix || from < 0 || end < 0) return other;
  return { ...role, prefix: role.prefix - from, suffix: role.suffix - end };
}

/** Split along tokens is a list of slices; along channels every part keeps the meaning. */
const split: Rule = ({ node, axes, shapes, shape, facts, output }) => {
  const x = axes[0];
  const axis = axisOf(node, shape.length, 0);
  if (!x) return undefined;
  return x.map((role, i) => {
    if (i !== axis || !isSpace(role)) return role;
    const sizes = facts.elements.get(node.inputs[1] ?? "");
    const before = sizes?.slice(0, output);
    if (!before?.every((size) => typeof size === "number")) return other;
    return cut(
      role,
      (before as number[]).reduce((a, b) => a + b, 0),
      shapes[0]?.[i],
      shape[i],
    );
  });
};

/** One index takes the axis away; a list of them leaves an axis without a place. */
const gather: Rule = ({ node, axes, shapes, shape }) => {
  const x = axes[0];
  const axis = axisOf(node, x?.length ?? 0, 0);
  if (!x || !shapes[1]) return undefined;
  const middle = shapes[1].map((): Axis => (x[axis]?.kind === "channel" ? channel : other));
  const result = [...x.slice(0, axis), ...middle, ...x.slice(axis + 1)];
  return result.length === shape.length ? result : undefined;
};

/** New extents for the same axes. */
const resized: Rule = ({ axes, shape }) =>
  axes[0]?.map((role, i) => (isSpace(role) && role.axes.length === 1 ? spaceAxis(role.axes[0]!, shape[i]!) : role));

const nothing: Rule = () => undefined;

function axisOf(node: Node, rank: number, otherwise: number): number {
  const axis = numberAttribute(node, "axis", otherwise);
  return axis < 0 ? axis + rank : axis;
}

const first: Rule = ({ axes }) => axes[0];

/** Operators that don't treat every position alike. Whatever is not here is taken as element-wise. */
const rules: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  ConvTranspose: convolution,
  AveragePool: convolution,
  MaxPool: convolution,
  LpPool: convolution,
  GlobalAveragePool: convolution,
  GlobalMaxPool: convolution,
  GlobalLpPool: convolution,
  Gemm: ({ axes }) => axes[0] && [axes[0][0] ?? other, channel],
  MatMul: matMul,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: squeeze,
  Unsqueeze: squeeze,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Resize: resized,
  Pad: resized,
  QuantizeLinear: first,
  DequantizeLinear: first,
  DynamicQuantizeLinear: ({ axes, output }) => (output === 0 ? axes[0] : undefined),
  MatMulInteger: matMul,
  ConvInteger: convolution,
  GridSample: resized,
  DepthToSpace: resized,
  SpaceToDepth: resized,
  LayerNormalization: first,
  BatchNormalization: first,
  InstanceNormalization: first,
  GroupNormalization: first,
  PRelu: first,
  Softmax: first,
  ...Object.fromEntries(
    ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"].map((kind) => [
      `Reduce${kind}`,
      reduce,
    ]),
  ),
  ArgMax: reduce,
  ArgMin: reduce,
  Shape: nothing,
  Size: nothing,
  NonZero: nothing,
  Range: nothing,
  ConstantOfShape: nothing,
  GatherND: nothing,
  ScatterND: first,
  ScatterElements: first,
  Einsum: nothing,
  Expand: elementwise,
  Attention: ({ axes }) => axes[0],
};
