import { MethodError } from "../errors.ts";
import type { Value } from "../graph/builder.ts";
import { isStatic } from "../graph/dims.ts";
import { type Node, numberAttribute, numbersAttribute } from "../graph/graph.ts";
import type { Method } from "../methods/method.ts";
import { isPair } from "../targets/seed.ts";
import { isSpace } from "./axis.ts";
import type { Layer } from "./layers.ts";
import { toChannelsFirst } from "./layout.ts";
import { linearHead, type Step } from "./linear-head.ts";
import type { Groundwork } from "./plan.ts";

/**
 * What a method makes of the evidence E[c, p], the class's weights times the channels at a position; P is how many positions
 * the map has, and every dA[c, k, p] is W[c, k] · share, the same at each. Methods that treat channels by the sign of their
 * gradient need the weights apart.
 */
type Finish = (given: { op: Groundwork["op"]; evidence: Value; share: Value; positions: Value }) => Value;

const finishes: Readonly<Record<string, Finish>> = {
  // Both weigh with the gradient as it is: relu( sum over k of W[c, k] · share · A[k, p] ).
  "grad-cam": ({ op, evidence, share }) => op.relu(op.mul(evidence, share)),
  "hires-cam": ({ op, evidence, share }) => op.relu(op.mul(evidence, share)),
  // Gradients summed over positions.
  cam: ({ op, evidence, share, positions }) => op.mul(evidence, op.mul(share, positions)),
};

/**
 * Raw maps of every class at once: [N, classes, ...space], for a layer behind which pooling and one linear layer follow. There the
 * linear layer is applied to each position instead of to their mean, without what it adds: one product in place of a
 * backward pass per class.
 *
 * Throws MethodError for another head, or a method for which that isn't the map.
 */
export function mapsOfAllClasses(base: Groundwork, method: Method, layer: Layer): Value {
  const { op, logits } = base;
  const finish = finishes[method.name];
  if (!finish)
    throw new MethodError(
      `maps of all classes at once are made by ${Object.keys(finishes).join(", ")}, not ${method.name}`,
    );
  const steps = linearHead(op, layer.tensor, logits, "a map of every class");
  const laid = toChannelsFirst(op, layer.tensor, layer.axes); // [N, K, ...space]
  const n = op.shape(laid, 0, 1);
  const rows = op.transpose(op.reshape(laid, [0, 0, -1]), [0, 2, 1]); // [N, P, K]
  // Every position as a sample of its own whose space is one position, in the layer's own layout.
  const native = layer.axes.map((axis) => (axis.kind === "batch" ? -1 : axis.kind === "channel" ? op.dim(laid, 1) : 1));
  const scores = steps.reduce((x, step) => again(base, step, x), op.reshape(rows, op.sizes(native))); // [N·P, C, 1…]
  const classes = op.dims(scores)?.[base.classAxis];
  if (typeof classes !== "number") throw new MethodError("the number of classes isn't known: their maps have no size");
  const perSample = op.reshape(scores, op.sizes([n, -1, classes])); // [N, P, C]
  const evidence = op.reshape(
    op.transpose(perSample, [0, 2, 1]),
    op.concat([n, op.ints([classes]), op.shape(laid, 2)], 0),
  ); // [N, C, ...space]
  if (classes === 1 && !isPair(base))
    throw new MethodError("the model has one score: the map of all classes is its map");
  const sides = isPair(base) ? op.concat([op.neg(evidence), evidence], 1) : evidence;
  const space = Array.from({ length: op.rank(laid) - 2 }, (_, i) => i + 2);
  const positions = op.cast(op.count(laid, space), "float32");
  const share = shareOf(base, steps.find((step) => step.kind === "pooling")!);
  const dtype = op.dtype(sides);
  const map = finish({ op, evidence: sides, share: op.cast(share, dtype), positions: op.cast(positions, dtype) });
  return op.cast(map, "float32");
}

/** How much of each position's evidence reaches the score: one part of those that are averaged, or all of what is summed. */
function shareOf({ op }: Groundwork, { node, from }: Step): Value {
  if (node.opType === "ReduceSum") return op.constant({ dtype: "float32", shape: [1], data: Float32Array.of(1) });
  return op.reciprocal(op.cast(op.count(from, pooledAxes(op, node, from)), "float32"));
}

function pooledAxes(op: Groundwork["op"], node: Node, from: Value): readonly number[] {
  const rank = op.rank(from);
  const all = Array.from({ length: rank }, (_, i) => i);
  if (node.opType === "GlobalAveragePool") return all.slice(2);
  const given = op.integers(node.inputs[1] ?? "") ?? numbersAttribute(node, "axes") ?? [];
  return given.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** A step of the head on positions: the batch is longer, space is one position, and constants that are added are left out. */
function again(base: Groundwork, { kind, node, from }: Step, x: Value): Value {
  const { op } = base;
  const [to] = node.outputs;
  const refuse = (why: string) =>
    new MethodError(`the head can't be applied position by position: ${node.opType} "${node.name}" ${why}`);
  const copy = (inputs: readonly Value[]) =>
    op.append({ ...node, name: op.fresh(node.opType), inputs, outputs: [op.fresh(node.opType)] })[0]!;
  switch (kind) {
    case "layout": {
      if (["Identity", "Dropout", "QuantizeLinear", "DequantizeLinear"].includes(node.opType)) return x;
      if (["Cast", "Transpose"].includes(node.opType)) return copy([x]);
      const dims = sizesOf(base, to!);
      if (dims?.[0] !== "batch" || sizesOf(base, from)?.[0] !== "batch")
        throw refuse("moves elements in a way that isn't known");
      return op.reshape(x, [-1, ...(dims.slice(1) as number[])]);
    }
    case "offset":
      if (op.rank(to!) !== op.rank(from)) throw refuse("changes the rank");
      return node.opType === "Sub" && node.inputs[1] === from ? op.neg(x) : x;
    case "scale": {
      const constant = node.inputs.find((name) => name !== from)!;
      const places = op.dims(constant)!;
      const sizes = sizesOf(base, from);
      const shift = (sizes?.length ?? 0) - places.length;
      const uneven = places.some((dim, i) => dim !== 1 && ["batch", 1].includes(sizes?.[i + shift] ?? 1));
      if (shift < 0 || uneven) throw refuse("weighs positions or samples differently");
      return copy(node.inputs.map((name) => (name === from ? x : name)));
    }
    case "dense":
      if (node.inputs[0] !== from) throw refuse("has its weights on the left");
      return copy([x, node.inputs[1]!]);
    case "pooling": {
      const axes = base.axes.get(from);
      const pooled = pooledAxes(op, node, from);
      const whole = axes?.every((axis, i) => isSpace(axis) === pooled.includes(i));
      if (!whole) throw refuse("doesn't pool over all positions, or not over them alone");
      const squeezed = node.opType !== "GlobalAveragePool" && numberAttribute(node, "keepdims", 1) === 0;
      return squeezed ? op.squeeze(x, pooled) : x;
    }
  }
}

/** A value's dimensions for one position: `batch` for that of the samples, 1 for space. Undefined where one isn't known. */
function sizesOf({ op, axes }: Groundwork, value: Value): readonly (number | "batch")[] | undefined {
  const dims = op.dims(value);
  const known = axes.get(value);
  const sizes = dims?.map((dim, i) => {
    const axis = known?.[i];
    if (axis?.kind === "batch" || (i === 0 && !axis)) return "batch";
    return isSpace(axis) ? 1 : dim;
  });
  return sizes?.every((size) => size === "batch" || isStatic([size])) ? (sizes as (number | "batch")[]) : undefined;
}
