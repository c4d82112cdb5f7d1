import { type Graph, type Node, sizeOf, topological, viewBytes } from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";

/** A tensor of the graph that training may change. */
export type Parameter = {
  /** The initializer's name; exporters often give a number ("onnx::Conv_193"). */
  readonly name: string;
  readonly shape: readonly number[];
  /** What it is to its node. */
  readonly role: Role;
  readonly opType: string;
  /** What a pattern may match: the initializer's name, the node's name, the node's output, and the name that PyTorch gave. */
  readonly names: readonly string[];
};

type Role = "weight" | "bias" | "scale" | "slope" | "embedding";

/** Which inputs of an operator are parameters where they are stored. Statistics, bounds and shapes have no entry. */
const roles: Readonly<Record<string, Readonly<Record<number, Role>>>> = {
  Conv: { 1: "weight", 2: "bias" },
  ConvTranspose: { 1: "weight", 2: "bias" },
  Gemm: { 0: "weight", 1: "weight", 2: "bias" },
  MatMul: { 0: "weight", 1: "weight" },
  BatchNormalization: { 1: "scale", 2: "bias" },
  InstanceNormalization: { 1: "scale", 2: "bias" },
  LayerNormalization: { 1: "scale", 2: "bias" },
  GroupNormalization: { 1: "scale", 2: "bias" },
  PRelu: { 1: "slope" },
  Gather: { 0: "embedding" },
  Concat: { 0: "embedding" },
  Add: { 0: "bias", 1: "bias" },
  Mul: { 0: "scale", 1: "scale" },
};

/** Operators that also serve fixed numbers: there a parameter meets what a weight was used on, and isn't a single number. */
const elementwise: ReadonlySet<string> = new Set(["Add", "Mul", "Concat"]);

/** Between a stored tensor and the node that it serves. */
const passes: ReadonlySet<string> = new Set([
  "Identity",
  "Transpose",
  "Reshape",
  "Unsqueeze",
  "Squeeze",
  "Expand",
  "Flatten",
]);

/**
 * Everything in a graph that could be trained, in the order of its use. Groups written as InstanceNormalization between two
 * Reshapes have ones and zeros there, which are no parameters. Throws NetworkError for quantised weights.
 */
export function parametersOf(graph: Graph): Parameter[] {
  const found = new Map<string, Parameter>();
  const sources = new Map<string, string>([...graph.initializers.keys()].map((name) => [name, name]));
  const learned = new Set<string>();
  const reshaped = new Set<string>();
  for (const node of topological(graph)) {
    const [first = ""] = node.inputs;
    if (passes.has(node.opType) && sources.has(first)) sources.set(node.outputs[0]!, sources.get(first)!);
    refuseQuantised(graph, node);
    const serves = node.opType === "InstanceNormalization" && reshaped.has(first) ? undefined : roles[node.opType];
    node.inputs.forEach((input, i) => {
      const source = sources.get(input);
      const role = serves?.[i];
      if (source === undefined || role === undefined || found.has(source)) return;
      const { dtype, shape } = graph.initializers.get(source)!;
      const others = node.inputs.filter((other) => other !== input);
      if (elementwise.has(node.opType) && (sizeOf(shape) === 1 || !others.some((name) => learned.has(name)))) return;
      if (!/^b?float(16|32|64)/.test(dtype) || (node.opType === "Add" && isMask(graph, source))) return;
      const names = [...new Set([source, node.name, ...node.outputs, ...exportedFrom(node, role)])].filter(Boolean);
      found.set(source, { name: source, shape, role, opType: node.opType, names });
    });
    if (node.opType === "Reshape") reshaped.add(node.outputs[0]!);
    if (node.inputs.some((input) => learned.has(input) || found.has(sources.get(input) ?? "")))
      for (const output of node.outputs) if (!sources.has(output)) learned.add(output);
  }
  return [...found.values()];
}

/** Attention masks are added, too: tables of 0 where a token may look, and of -100 or less where it may not. */
function isMask(graph: Graph, name: string): boolean {
  const { dtype, shape, bytes } = graph.initializers.get(name)!;
  return shape.length > 2 && dtype === "float32" && viewBytes(dtype, bytes).some((value) => Number(value) <= -100);
}

/**
 * The name that a parameter had in PyTorch, from the path that its exporter gives to nodes, where each part may repeat the one
 * before it: "/layer4/layer4.0/conv1/Conv" has layer4.0.conv1.weight. Folding batch norms takes the names from weights alone.
 */
function exportedFrom(node: Node, role: Role): string[] {
  if (!node.name.startsWith("/")) return [];
  const path = node.name.split("/").slice(1, -1);
  const parts = path.filter((part, i) => !path[i + 1]?.startsWith(`${part}.`));
  return parts.length === 0 ? [] : [[...parts, role === "bias" ? "bias" : "weight"].join(".")];
}

function refuseQuantised(graph: Graph, node: Node): void {
  if (node.opType !== "DequantizeLinear" || !graph.initializers.has(node.inputs[0]!)) return;
  throw new NetworkError(
    `"${node.inputs[0]}" is a quantised weight (${graph.initializers.get(node.inputs[0]!)!.dtype})`,
    {
      hint: "Train the float model, and quantise it afterwards.",
    },
  );
}
