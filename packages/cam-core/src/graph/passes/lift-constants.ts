import { float32, int64, type Tensor } from "../../tensor.ts";
import { type Graph, type Initializer, initializerOf, type Node } from "../graph.ts";

/** Turns Constant nodes into initializers, and Identity of an initializer into the initializer: constants have one form. */
export function liftConstants(graph: Graph): void {
  graph.nodes = graph.nodes.filter((node) => {
    const constant = constantOf(node, graph);
    if (!constant) return true;
    graph.initializers.set(node.outputs[0]!, constant);
    return false;
  });
}

function constantOf(node: Node, graph: Graph): Initializer | undefined {
  if (node.domain !== "") return undefined;
  if (node.opType === "Identity" && !graph.outputs.some((output) => output.name === node.outputs[0]))
    return graph.initializers.get(node.inputs[0]!);
  if (node.opType !== "Constant") return undefined;
  for (const [name, attribute] of Object.entries(node.attributes)) {
    if (attribute.type === "tensor") return attribute.value;
    const tensor = valueForms.get(`${name}: ${attribute.type}`)?.(attribute as never);
    if (tensor) return initializerOf(tensor);
  }
  return undefined;
}

/** The short forms of a Constant's value. */
const valueForms: ReadonlyMap<string, (attribute: { value: never }) => Tensor> = new Map<
  string,
  (attribute: { value: never }) => Tensor
>([
  ["value_float: float", ({ value }) => float32([], [value])],
  ["value_floats: floats", ({ value }) => float32([(value as number[]).length], value)],
  ["value_int: int", ({ value }) => int64([], [value])],
  ["value_ints: ints", ({ value }) => int64([(value as number[]).length], value)],
  ["value_string: string", ({ value }) => ({ dtype: "string", shape: [], data: [value] })],
  ["value_strings: strings", ({ value }) => ({ dtype: "string", shape: [(value as string[]).length], data: value })],
]);
