import { bytesOf, type DType, type Tensor, type TypedArray } from "../tensor.ts";

/** A dimension: a number, a symbol ("n", or an expression over symbols such as "(h+1)/2"), or null when nothing is known. */
export type Dim = number | string | null;

/** Dimensions of a value; two equal symbols are equal sizes. */
export type Shape = readonly Dim[];

/** What is known about a value; a missing shape means that not even the rank is known. */
export type ValueType = { readonly dtype: DType; readonly shape?: Shape | undefined };

/** An input or output. An `optional` one is ONNX's optional(tensor): a caller may leave it out, and the graph asks whether it did. */
export type ValueInfo = ValueType & { readonly name: string; readonly optional?: boolean };

/**
 * A constant of the graph. `bytes` is little-endian; a view on the model's bytes, or read from its file when first asked for:
 * ask `byteLength` where the size is enough. Never written to. Strings, which have no fixed width, sit in `strings`.
 */
export type Initializer = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly bytes: Uint8Array;
  readonly strings?: readonly string[];
  /** Where on disk the bytes lie, for the runtime to map them from there. */
  readonly file?: { readonly folder: string; readonly name: string; readonly offset: number };
};

export type Attribute =
  | { readonly type: "int" | "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "ints" | "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensor"; readonly value: Initializer }
  | { readonly type: "graph"; readonly value: Graph };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One operation. `""` in `inputs` or `outputs` marks an optional one that is absent. Domain `""` is ONNX's own. */
export type Node = {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
};

/**
 * A graph as ONNX defines it: values are names, each produced once: by an input, an initializer or a node.
 * Transformations replace the lists and maps; nodes and initializers themselves are never changed in place.
 */
export type Graph = {
  name: string;
  /** Version of each operator domain; `""` is ONNX's own. */
  opsets: ReadonlyMap<string, number>;
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  nodes: Node[];
  initializers: Map<string, Initializer>;
  /** Types known of values: declared in the file; of a finished plan, what shape inference found. */
  types: Map<string, ValueType>;
  /** Key-value metadata of the file. */
  metadata: Map<string, string>;
  /** Who wrote the file, and in which version of the format. */
  producer?: { readonly name: string; readonly version: string; readonly irVersion: number };
  /** Fused nodes that were spelled out, to be put back where nothing reads from within. */
  expanded?: readonly Expanded[];
};

/** A fused node and what stands in its place. */
export type Expanded = { readonly node: Node; readonly parts: readonly Node[] };

/** The version of ONNX's own operators that the graph uses. */
export function opsetOf(graph: Graph): number {
  return graph.opsets.get("") ?? 1;
}

/** A graph with nothing in it yet. */
export function emptyGraph(name: string, opsets: ReadonlyMap<string, number>): Graph {
  return {
    name,
    opsets,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    types: new Map(),
    metadata: new Map(),
  };
}

/** A copy that can be rewritten without touching the original; nodes and weights are shared. */
export function copyGraph(graph: Graph): Graph {
  return {
    ...graph,
    opsets: new Map(graph.opsets),
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
    nodes: [...graph.nodes],
    initializers: new Map(graph.initializers),
    types: new Map(graph.types),
    metadata: new Map(graph.metadata),
  };
}

/** Names a node reads, those that its sub-graphs take from outside included. */
export function readsOf(node: Node): string[] {
  const reads = node.inputs.filter((name) => name !== "");
  for (const attribute of Object.values(node.attributes))
    if (attribute.type === "graph") reads.push(...capturesOf(attribute.value));
  return reads;
}

/** Names that a sub-graph uses but doesn't define: it captures them from the graph around it. */
function capturesOf(graph: Graph): string[] {
  const defined = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
  const captured = new Set<string>();
  for (const node of graph.nodes) {
    for (const name of readsOf(node)) if (!defined.has(name)) captured.add(name);
    for (const name of node.outputs) defined.add(name);
  }
  for (const output of graph.outputs) if (!defined.has(output.name)) captured.add(output.name);
  return [...captured];
}

/** Which node makes each value. */
export function producersOf(graph: Graph): Map<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") producers.set(name, node);
  return producers;
}

/** Values that depend on no input: initializers, and what is computed from them alone. */
export function constantsOf(graph: Graph): Set<string> {
  const constants = new Set(graph.initializers.keys());
  for (const node of topological(graph))
    if (readsOf(node).every((name) => constants.has(name)) && !drawn.has(node.opType))
      for (const name of node.outputs) constants.add(name);
  return constants;
}

const drawn: ReadonlySet<string> = new Set(["RandomNormal", "RandomUniform"]);

/** Which nodes read each value, in graph order. */
export function usersOf(graph: Graph): Map<string, Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const name of new Set(readsOf(node))) {
      const list = users.get(name);
      if (list) list.push(node);
      else users.set(name, [node]);
    }
  return users;
}

/**
 * Nodes in an order in which every value is made before it is read, the given order kept where it is legal.
 * Nodes on a cycle are left out, which the legality check then reports.
 */
export function topological(graph: Graph): Node[] {
  const producers = producersOf(graph);
  const state = new Map<Node, "open" | "done">();
  const order: Node[] = [];
  for (const root of graph.nodes) {
    const stack: { node: Node; reads: string[]; next: number }[] = [];
    const enter = (node: Node) => {
      if (state.has(node)) return;
      state.set(node, "open");
      stack.push({ node, reads: readsOf(node), next: 0 });
    };
    enter(root);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const read = top.reads[top.next++];
      if (read === undefined) {
        stack.pop();
        state.set(top.node, "done");
        order.push(top.node);
      } else {
        const producer = producers.get(read);
        if (producer) enter(producer);
      }
    }
  }
  return order;
}

/** The attribute's number, or `otherwise` where the node doesn't have it. */
export function numberAttribute(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === "int" || attribute?.type === "float" ? attribute.value : otherwise;
}

/** The attribute's list of numbers, or undefined where the node doesn't have it. */
export function numbersAttribute(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.type === "ints" || attribute?.type === "floats" ? attribute.value : undefined;
}

/** The attribute's text, or `otherwise` where the node doesn't have it. */
export function stringAttribute(node: Node, name: string, otherwise: string): string {
  const attribute = node.attributes[name];
  return attribute?.type === "string" ? attribute.value : otherwise;
}

/** An initializer over a tensor's own memory. */
export function initializerOf(tensor: Tensor): Initializer {
  const { dtype, shape } = tensor;
  if (dtype === "string")
    return { dtype, shape, byteLength: 0, bytes: new Uint8Array(0), strings: tensor.data as string[] };
  const bytes = bytesOf(tensor.data as TypedArray);
  return { dtype, shape, byteLength: bytes.byteLength, bytes };
}
