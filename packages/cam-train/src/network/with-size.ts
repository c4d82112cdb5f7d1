import {
  checkGraph,
  copyGraph,
  type Dim,
  type Graph,
  inferGraph,
  type Node,
  numberAttribute,
  type Shape,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { shapeText } from "./network-builder.ts";

/**
 * A copy of a network for samples of another size: [channels, ...space]. For networks that ask no size of their own, such as
 * convolutions before a global average; their outputs must stay what they are. Throws NetworkError where that isn't so.
 */
export function withSize(graph: Graph, sample: readonly number[]): Graph {
  const [input] = graph.inputs;
  const given = input?.shape?.slice(1) ?? [];
  if (input?.shape === undefined || given.every((size, axis) => size === sample[axis])) return graph;
  const refuse = (reason: string) =>
    new NetworkError(`the network takes ${shapeText(given)}, the data has ${shapeText(sample)}: ${reason}`, {
      hint: "Prepare the samples at the network's size.",
    });
  if (given.length !== sample.length || given[0] !== sample[0]) throw refuse("other axes or channels");
  const sized = { ...copyGraph(graph), types: new Map() };
  sized.inputs = [{ ...input, shape: [input.shape[0]!, ...sample] }, ...graph.inputs.slice(1)];
  const before = inferGraph(graph).types;
  let types: typeof before;
  try {
    ({ types } = inferGraph(sized));
  } catch (cause) {
    throw refuse((cause as Error).message);
  }
  for (const { name } of graph.outputs)
    if (String(types.get(name)?.shape) !== String(before.get(name)?.shape))
      throw refuse(`"${name}" would be ${shapeText(types.get(name)?.shape ?? [])}`);
  for (const node of sized.nodes) {
    const [x, w] = node.inputs.map((name) => types.get(name)?.shape);
    const wanted = weightsOf[node.opType]?.(node, w);
    const found = x?.at(-1);
    if (typeof wanted === "number" && typeof found === "number" && wanted !== found)
      throw refuse(`"${node.name || node.outputs[0]}" takes ${wanted} numbers, it would get ${found}`);
  }
  checkGraph(sized);
  return sized;
}

/** How many numbers a product with weights takes of each sample: what shapes alone don't tell. */
const weightsOf: Readonly<Record<string, (node: Node, weights: Shape | undefined) => Dim | undefined>> = {
  Gemm: (node, weights) => weights?.[numberAttribute(node, "transB", 0) === 1 ? 1 : 0],
  MatMul: (_, weights) => weights?.at(-2),
};
