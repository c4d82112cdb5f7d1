import type { Builder, Value } from "../builder.ts";
import { isStatic, sameDim } from "../dims.ts";
import { type Node, numberAttribute, numbersAttribute } from "../graph.ts";

/** Positions from `index` on along an axis, `length` of them. */
export type Position = { readonly axis: number; readonly index: number; readonly length: number };

/**
 * How an operator commutes with the choice: the axis of each input that the output's axis comes from, undefined for inputs
 * that are used whole; `emit` where the node itself has to change.
 */
export type Commutes = {
  readonly axes: readonly (number | undefined)[];
  readonly emit?: (inputs: readonly Value[]) => Value;
  /** Position in the inputs where it isn't the output's. */
  readonly index?: number;
  /** Inputs that the position doesn't depend on. */
  readonly drops?: readonly number[];
};

/** No answer where positions along that axis don't stay apart. */
type Commuting = (node: Node, axis: number, op: Builder, position: Position) => Commutes | undefined;

/** Broadcast from the right: an operand without the axis, or with size 1 there, is used whole. */
const broadcast: Commuting = (node, axis, op) => {
  const shapes = node.inputs.map((name) => (name === "" ? [] : op.dims(name)));
  const rank = op.dims(node.outputs[0]!)?.length;
  if (rank === undefined || shapes.some((shape) => shape === undefined)) return undefined;
  const axes = shapes.map((shape) => {
    const at = axis - rank + shape!.length;
    return at < 0 || shape![at] === 1 ? undefined : at;
  });
  return { axes };
};

const unary: Commuting = (_, axis) => ({ axes: [axis] });

/** The first operand's rows stay apart; so do batch axes. The contracted axis and the columns don't. */
const matMul: Commuting = (node, axis, op) => {
  const [a, b] = node.inputs.map((name) => op.dims(name));
  if (!a || !b || axis !== a.length - 2 || b.length > a.length) return undefined;
  return { axes: [axis, undefined] };
};

const transpose: Commuting = (node, axis) => {
  const perm = numbersAttribute(node, "perm");
  return perm ? { axes: [perm[axis]!] } : undefined;
};

/** Norms over the last axes, from `axis` on. */
const trailingNorm: Commuting = (node, axis, op) => {
  const rank = op.dims(node.inputs[0]!)?.length ?? 0;
  const from = numberAttribute(node, "axis", -1);
  return axis < (from < 0 ? from + rank : from) ? { axes: [axis] } : undefined;
};

const softmax: Commuting = (node, axis, op) => {
  const rank = op.dims(node.inputs[0]!)?.length ?? 0;
  const over = numberAttribute(node, "axis", -1);
  return axis === (over < 0 ? over + rank : over) ? undefined : { axes: [axis] };
};

/** Reductions over other axes that keep the rank. */
const reduce: Commuting = (node, axis, op) => {
  const rank = op.dims(node.inputs[0]!)?.length ?? 0;
  const over = op.integers(node.inputs[1] ?? "");
  if (!over || numberAttribute(node, "keepdims", 1) !== 1) return undefined;
  return over.some((a) => (a < 0 ? a + rank : a) === axis) ? undefined : { axes: [axis] };
};

/** A reshape that only touches axes behind the chosen one: [N, T, h·d] to [N, T, h, d] and back. Zeros copy a size. */
const reshapeBehind: Commuting = (node, axis, op) => {
  const from = op.dims(node.inputs[0]!);
  const to = op.dims(node.outputs[0]!);
  const behind = to?.slice(axis + 1);
  if (!from || !to || !isStatic(behind) || !to.slice(0, axis + 1).every((dim, i) => sameDim(dim, from[i])))
    return undefined;
  const target = [...to.slice(0, axis + 1).map(() => 0), ...behind];
  return { axes: [axis], emit: ([x]) => op.reshape(x!, target) };
};

/** Along the joined axis, the position lies in one operand; along another one, in all of them. */
const concat: Commuting = (node, axis, op, { index, length }) => {
  const shapes = node.inputs.map((name) => op.dims(name));
  const joined = numberAttribute(node, "axis", 0);
  const rank = shapes[0]?.length ?? 0;
  if ((joined < 0 ? joined + rank : joined) !== axis) return { axes: node.inputs.map(() => axis) };
  let before = 0;
  for (const [i, shape] of shapes.entries()) {
    const size = shape?.[axis];
    if (typeof size !== "number" || index < 0) return undefined;
    const others = node.inputs.flatMap((_, other) => (other === i ? [] : [other]));
    if (index >= before && index + length <= before + size)
      return {
        axes: node.inputs.map((_, input) => (input === i ? axis : undefined)),
        index: index - before,
        drops: others,
        emit: (inputs) => inputs[i]!,
      };
    before += size;
  }
  return undefined;
};

/** Positions in the border are the border's constant; others move by what stands before them. */
const pad: Commuting = (node, axis, op, { index, length }) => {
  const pads = op.integers(node.inputs[1]!);
  const rank = op.dims(node.inputs[0]!)?.length ?? 0;
  const mode = node.attributes.mode;
  const constant = mode?.type !== "string" || mode.value === "constant";
  if (!constant || !pads || pads.length !== 2 * rank || node.inputs[3]) return undefined;
  if (pads.some((size, i) => size !== 0 && i % rank !== axis)) return undefined;
  const before = pads[axis]!;
  if (index >= before) return { axes: [axis], index: index - before, emit: ([x]) => x! };
  if (index < 0 || index + length > before) return undefined;
  const emit = ([x, , value]: readonly Value[]) => {
    const sizes = Array.from({ length: rank }, (_, i) => (i === axis ? op.ints([length]) : op.dim(x!, i)));
    return op.expand(value || op.scalar(0, op.dtype(x!)), op.concat(sizes, 0));
  };
  return { axes: [], drops: [0], emit };
};

/** What is not here mixes positions, or isn't worth moving. */
export const commuting: Readonly<Record<string, Commuting>> = {
  ...Object.fromEntries(["Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min"].map((name) => [name, broadcast])),
  ...Object.fromEntries(
    [
      "Relu",
      "LeakyRelu",
      "Elu",
      "Selu",
      "Celu",
      "Gelu",
      "Erf",
      "Sigmoid",
      "Tanh",
      "HardSigmoid",
      "HardSwish",
      "Mish",
      "Softplus",
      "Softsign",
      "Swish",
      "Sqrt",
      "Neg",
      "Abs",
      "Exp",
      "Log",
      "Reciprocal",
      "Identity",
      "Cast",
      "Dropout",
    ].map((name) => [name, unary]),
  ),
  MatMul: matMul,
  Transpose: transpose,
  LayerNormalization: trailingNorm,
  RMSNormalization: trailingNorm,
  Softmax: softmax,
  ReduceMean: reduce,
  ReduceSum: reduce,
  Reshape: reshapeBehind,
  Concat: concat,
  Pad: pad,
};
