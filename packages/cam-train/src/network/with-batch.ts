import {
  Builder,
  checkGraph,
  copyGraph,
  type Graph,
  inferGraph,
  isStatic,
  type Node,
  pruneUnused,
  type Shape,
  sizeOf,
  topological,
  type Value,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { shapeText } from "./network-builder.ts";

/**
 * A copy of a network for `batch` samples at a time, or for any number: `withBatch(graph, "n")`. Exporters often write a batch
 * of 1 into the file: into the inputs, into the sizes of Reshape and Resize, into class tokens. All of those are rewritten;
 * every value must come out `batch` times as large, or NetworkError names the node where samples would be mixed up.
 */
export function withBatch(graph: Graph, batch: number | string): Graph {
  const old = graph.inputs[0]?.shape?.[0];
  // Sizes are compared as numbers: an open batch is tried with one first.
  if (typeof batch === "string" && typeof old === "number") rewritten(graph, 2 * old);
  return rewritten(graph, batch);
}

function rewritten(graph: Graph, batch: number | string): Graph {
  const copy = { ...copyGraph(graph), nodes: [], types: new Map() };
  copy.inputs = graph.inputs.map((input) => ({ ...input, shape: input.shape && [batch, ...input.shape.slice(1)] }));
  const first = graph.inputs[0]?.shape?.[0];
  const old = typeof first === "number" ? inferGraph(graph).types : undefined;
  const op = new Builder(copy, { prefix: "batch" });
  const shapes: Shapes = { op, ratio: Number(batch) / Number(first), before: (name) => old?.get(name)?.shape };
  const carries = new Set<Value>(graph.inputs.map(({ name }) => name));
  const instead = new Map<Value, Value>();
  for (const given of topological(graph)) {
    const node = { ...given, inputs: given.inputs.map((name) => instead.get(name) ?? name) };
    const carried = node.opType !== "Shape" && given.inputs.some((name) => carries.has(name));
    const fixed = (carried && old && fixes[node.opType]?.(node, shapes)) || node;
    op.append(fixed).forEach((value, i) => {
      const name = node.outputs[i]!;
      if (value !== name) instead.set(name, value);
      if (!carried) return;
      carries.add(name);
      if (old) checkScaled(node, name, shapes);
    });
  }
  copy.outputs = graph.outputs.map(({ name, dtype }) => {
    if (instead.has(name)) op.alias(instead.get(name)!, name);
    return { name, dtype, shape: op.dims(name) };
  });
  pruneUnused(copy);
  checkGraph(copy);
  return copy;
}

type Shapes = {
  readonly op: Builder;
  /** New samples per old one; not a number where the batch is open. */
  readonly ratio: number;
  /** The shape that a value had. */
  before(name: Value): Shape | undefined;
};

/** What is rewritten where a size was spelled out: the node's new form, or undefined where it needs none. */
const fixes: Readonly<Record<string, (node: Node, shapes: Shapes) => Node | undefined>> = {
  /** The axis whose outermost factor is the batch: the sizes before it multiply to the same as before it in the input. */
  Reshape: (node, { op, before }) => {
    const [x, sizes] = node.inputs as [Value, Value];
    const [from, to] = [before(x), before(node.outputs[0]!)];
    const axis = scaledAxis(from, op.dims(x));
    if (!isStatic(from) || !isStatic(to) || axis === undefined || !op.integers(sizes)) return undefined;
    const ahead = sizeOf(from.slice(0, axis));
    const at = to.findIndex((_, i) => sizeOf(to.slice(0, i)) === ahead);
    return at < 0 ? undefined : { ...node, inputs: [x, op.ints(to.with(at, -1))] };
  },
  /** A class token, made once, is needed for each sample. */
  Concat: (node, { op, before }) => {
    const scaled = node.inputs.map((name) => scaledAxis(before(name), op.dims(name)));
    const axis = scaled.find((found) => found !== undefined);
    if (axis === undefined) return undefined;
    const samples = op.dim(node.inputs[scaled.indexOf(axis)]!, axis);
    const inputs = node.inputs.map((name, i) => {
      const dims = op.dims(name);
      if (scaled[i] !== undefined || !isStatic(dims)) return name;
      return op.expand(name, spelled(op, dims, axis, samples));
    });
    return { ...node, inputs };
  },
  Resize: (node, { op }) => {
    const [x, , , sizes] = node.inputs;
    const asked = sizes && op.integers(sizes);
    if (!asked || asked.length !== op.rank(x!)) return undefined;
    return { ...node, inputs: [...node.inputs.slice(0, 3), spelled(op, asked, 0, op.dim(x!, 0))] };
  },
};

/** Sizes as a value, with one of them read from another value. */
function spelled(op: Builder, sizes: readonly number[], axis: number, size: Value): Value {
  const parts = [sizes.slice(0, axis), sizes.slice(axis + 1)].map((part) => (part.length > 0 ? [op.ints(part)] : []));
  return op.concat([...parts[0]!, size, ...parts[1]!], 0);
}

function checkScaled(node: Node, name: Value, { op, before, ratio }: Shapes): void {
  const [from, to] = [before(name), op.dims(name)];
  if (ratio === 1 || Number.isNaN(ratio) || !isStatic(from) || !isStatic(to) || sizeOf(to) === sizeOf(from) * ratio)
    return;
  const where = `${node.opType} "${node.name || name}"`;
  throw new NetworkError(
    `${where} makes ${shapeText(from)} of one batch and ${shapeText(to)} of ${ratio}: it mixes samples`,
    {
      hint: "Export the model with a dynamic batch.",
    },
  );
}

/** The axis along which a shape has grown, where it is one alone. */
function scaledAxis(from: Shape | undefined, to: Shape | undefined): number | undefined {
  if (!from || !to || from.length !== to.length) return undefined;
  const changed = from.flatMap((dim, axis) => (dim === to[axis] ? [] : [axis]));
  return changed.length === 1 ? changed[0] : undefined;
}
