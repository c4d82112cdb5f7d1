import { bytesPerElement } from "../tensor.ts";
import { estimateDim } from "./dims.ts";
import { type Graph, readsOf, type ValueType } from "./graph.ts";

/** Operators whose output is their input's memory under another shape. */
const views: ReadonlySet<string> = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

/** Operators that may write over an input that nothing needs after them. */
const inPlace: ReadonlySet<string> = new Set(
  (
    "Add Sub Mul Div Pow Neg Abs Exp Log Sqrt Reciprocal Erf Relu LeakyRelu Elu Selu Sigmoid Tanh Clip HardSigmoid HardSwish " +
    "Gelu Where Min Max Sum Softmax LogSoftmax Cast BatchNormalization LayerNormalization InstanceNormalization"
  ).split(" "),
);

/**
 * The least memory, in bytes, that a graph's values take at a time: a node's inputs beside its outputs and all that is read
 * later, in the order of the nodes. Weights don't count, they lie in files. Given sizes of symbols; what isn't known counts as
 * 1. So a graph whose least is too much can't be run, and one that passes may still need more: SAM's forward pass takes 1.6 GB at
 * least by this, and took 3.1. Types are those that `graph.types` holds.
 */
export function leastMemory(graph: Graph): (sizes: ReadonlyMap<string, number>) => number {
  const types = new Map<string, ValueType>([
    ...graph.types,
    ...graph.inputs.map((input) => [input.name, input] as const),
  ]);
  /** Whose memory a view looks at. */
  const owners = new Map<string, string>();
  const ownerOf = (name: string) => owners.get(name) ?? name;
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, at) => {
    for (const name of readsOf(node)) lastUse.set(ownerOf(name), at);
    if (views.has(node.opType)) owners.set(node.outputs[0]!, ownerOf(node.inputs[0]!));
  });
  for (const { name } of [...graph.outputs, ...graph.inputs]) lastUse.set(ownerOf(name), graph.nodes.length);
  const ending = graph.nodes.map((): string[] => []);
  for (const [name, at] of lastUse) ending[at]?.push(name);

  return (sizes) => {
    const held = new Map<string, number>();
    let live = 0;
    const hold = (name: string) => {
      const bytes = bytesOf(types.get(name), sizes);
      held.set(name, bytes);
      live += bytes;
    };
    for (const input of graph.inputs) hold(input.name);
    let peak = live;
    graph.nodes.forEach((node, at) => {
      const made = node.outputs.filter((name) => name !== "" && !owners.has(name));
      made.forEach(hold);
      const size = held.get(made[0] ?? "") ?? 0;
      const over = inPlace.has(node.opType) && ending[at]!.some((name) => held.get(name) === size);
      peak = Math.max(peak, over ? live - size : live);
      for (const name of ending[at]!) live -= held.get(name) ?? 0;
    });
    return peak;
  };
}

function bytesOf(type: ValueType | undefined, sizes: ReadonlyMap<string, number>): number {
  if (!type?.shape) return 0;
  const size = (name: string) => sizes.get(name) ?? 1;
  const elements = type.shape.reduce<number>(
    (product, dim) => product * (dim === null ? 1 : Math.max(0, estimateDim(dim, size))),
    1,
  );
  return elements * (bytesPerElement[type.dtype] ?? 0);
}
