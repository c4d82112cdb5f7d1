import { IllegalGraphError } from "../errors.ts";
import { naming } from "../naming.ts";
import { type DType, numbersIn, sizeOf, viewBytes } from "../tensor.ts";
import {
  type Attribute,
  type Dim,
  type Graph,
  type Initializer,
  type Node,
  opsetOf,
  type Shape,
  topological,
  type ValueType,
} from "./graph.ts";
import { shapeRules } from "./shapes/index.ts";

/**
 * What is known about the values of a graph. `elements` holds the contents of small tensors, flattened: sizes on their way from
 * one operator to the next, some of them through floating point.
 */
export type Facts = {
  readonly opset: number;
  readonly types: Map<string, ValueType>;
  readonly elements: Map<string, readonly Dim[]>;
};

/** What a shape rule says of one output. */
export type Inferred = { dtype: DType; shape?: Shape | undefined; elements?: readonly Dim[] | undefined };

/** What a shape rule sees of a node: its inputs' facts by position, its attributes with ONNX's defaults. */
export type ShapeContext = {
  readonly node: Node;
  readonly opset: number;
  has(input: number): boolean;
  dtype(input: number): DType;
  shape(input: number): Shape | undefined;
  rank(input: number): number | undefined;
  /** Contents of a small input, where they are known. */
  elements(input: number): readonly Dim[] | undefined;
  /** Contents of an integer input where every one is a known number. */
  integers(input: number): readonly number[] | undefined;
  int(name: string, otherwise: number): number;
  ints(name: string): readonly number[] | undefined;
  string(name: string, otherwise: string): string;
  attribute(name: string): Attribute | undefined;
  /**
   * What is known of the outputs of the sub-graph that an attribute holds; it sees the values around it, and its own inputs
   * have the types `given` here, where the file doesn't say more.
   */
  branch(name: string, given?: readonly ValueType[]): readonly (Inferred | undefined)[];
};

/** One result per output, undefined for an output of which nothing can be said. */
export type ShapeRule = (node: ShapeContext) => readonly (Inferred | undefined)[];

/** Longest integer tensor whose contents are followed: more than any shape, less than any weight. */
const longestFollowed = 1024;

/** Longest real tensor that is followed: scales and factors of shapes, but no bias or statistic. */
const longestReal = 32;

/**
 * Types and shapes of all values, symbols kept. Declared types fill in where inference has no answer; where both speak, the
 * more precise one holds, dimension by dimension. A sub-graph also sees the values `around` it.
 */
export function inferGraph(graph: Graph, around?: Facts): Facts {
  const facts = factsAtStart(graph, around);
  for (const node of topological(graph)) inferNode(node, facts, graph.types);
  return facts;
}

/** What is known before any node: of inputs, constants, and values `around` a sub-graph. */
export function factsAtStart(graph: Graph, around?: Facts): Facts {
  const facts: Facts = { opset: opsetOf(graph), types: new Map(around?.types), elements: new Map(around?.elements) };
  for (const input of graph.inputs) facts.types.set(input.name, { dtype: input.dtype, shape: input.shape });
  for (const [name, tensor] of graph.initializers) addInitializer(facts, name, tensor);
  return facts;
}

/** Adds what is known of a constant. */
export function addInitializer(facts: Facts, name: string, tensor: Initializer): void {
  facts.types.set(name, { dtype: tensor.dtype, shape: tensor.shape });
  const values = elementsOf(tensor);
  if (values) facts.elements.set(name, values);
}

/** Contents of a small constant of whole or real numbers, bools as 0 and 1; undefined for anything else. */
export function elementsOf(tensor: Initializer): readonly number[] | undefined {
  if (tensor.strings) return undefined;
  const longest = /int|bool/.test(tensor.dtype)
    ? longestFollowed
    : /float(16|32|64)/.test(tensor.dtype)
      ? longestReal
      : 0;
  return sizeOf(tensor.shape) > longest ? undefined : numbersOf(tensor);
}

function numbersOf(tensor: Initializer): number[] {
  const { dtype, shape } = tensor;
  return numbersIn({ dtype, shape, data: viewBytes(dtype as Exclude<DType, "string">, tensor.bytes) });
}

/** Adds the facts of one node's outputs, its inputs' being there already. */
export function inferNode(node: Node, facts: Facts, declared?: ReadonlyMap<string, ValueType>): void {
  const rule = shapeRuleOf(node);
  let inferred: readonly (Inferred | undefined)[] = [];
  if (rule && node.inputs.every((name) => name === "" || facts.types.has(name)))
    inferred = naming(
      () => rule(contextOf(node, facts)),
      (cause) => unforeseen("shape", node, cause),
    );
  node.outputs.forEach((name, i) => {
    if (name === "") return;
    const found = inferred[i];
    const type = possible(merge(found, declared?.get(name)));
    if (type) facts.types.set(name, type);
    if (found?.elements && found.elements.length <= longestFollowed) facts.elements.set(name, found.elements);
  });
}

/** No network's values have more axes. */
const mostAxes = 64;

/**
 * A size that can't be (negative, or beyond whole numbers) is taken for unknown: the graph may never come to compute it, and
 * the runtime says so where it does.
 */
function possible(type: ValueType | undefined): ValueType | undefined {
  if (type?.shape === undefined) return type;
  if (type.shape.length > mostAxes) return { dtype: type.dtype };
  return { dtype: type.dtype, shape: type.shape.map((dim) => (typeof dim === "string" || isSize(dim) ? dim : null)) };
}

function isSize(dim: Dim | undefined): boolean {
  return Number.isSafeInteger(dim) && (dim as number) >= 0;
}

/** What a rule stumbled over at a node whose form is right, but not what it computes with. */
export function unforeseen(what: string, node: Node, cause: Error): IllegalGraphError {
  return new IllegalGraphError(
    `the ${what} rule of ${node.opType} can't make sense of node "${node.name}": ${cause.message}`,
    { hint: "Its inputs or attributes don't fit each other: check the file with onnx.checker.", cause },
  );
}

/** Declared symbols count where inference knows nothing better; exporters' per-value symbols never replace a derived one. */
function merge(found: ValueType | undefined, declared: ValueType | undefined): ValueType | undefined {
  if (!found || !declared) return found ?? declared;
  if (!found.shape || !declared.shape) return { dtype: found.dtype, shape: found.shape ?? declared.shape };
  if (found.shape.length !== declared.shape.length) return found;
  const shape = found.shape.map((dim, i) =>
    dim === null || typeof declared.shape![i] === "number" ? declared.shape![i]! : dim,
  );
  return { dtype: found.dtype, shape };
}

/** ONNX Runtime's own domain has an Attention of its own; what else is named as in ONNX's means the same. */
function shapeRuleOf({ domain, opType }: Node): ShapeRule | undefined {
  if (domain === "") return shapeRules[opType];
  return domain === "com.microsoft" ? (shapeRules[`com.microsoft:${opType}`] ?? shapeRules[opType]) : undefined;
}

/** A node as a shape rule sees it. */
export function contextOf(node: Node, facts: Facts): ShapeContext {
  const name = (input: number) => node.inputs[input] ?? "";
  const elements = (input: number) => facts.elements.get(name(input));
  return {
    node,
    opset: facts.opset,
    has: (input) => name(input) !== "",
    dtype: (input) => facts.types.get(name(input))?.dtype ?? "float32",
    shape: (input) => facts.types.get(name(input))?.shape,
    rank: (input) => facts.types.get(name(input))?.shape?.length,
    elements,
    integers: (input) => {
      const found = elements(input);
      return found?.every((dim) => Number.isInteger(dim)) ? (found as readonly number[]) : undefined;
    },
    int: (key, otherwise) => {
      const attribute = node.attributes[key];
      return attribute?.type === "int" || attribute?.type === "float" ? attribute.value : otherwise;
    },
    ints: (key) => {
      const attribute = node.attributes[key];
      return attribute?.type === "ints" ? attribute.value : undefined;
    },
    string: (key, otherwise) => {
      const attribute = node.attributes[key];
      return attribute?.type === "string" ? attribute.value : otherwise;
    },
    attribute: (key) => node.attributes[key],
    branch: (key, given = []) => {
      const attribute = node.attributes[key];
      if (attribute?.type !== "graph") return [];
      const inputs = attribute.value.inputs.map((input, i) => ({ ...input, ...merge(given[i], input) }));
      const inner = inferGraph({ ...attribute.value, inputs }, facts);
      return attribute.value.outputs.map(({ name }) => {
        const type = inner.types.get(name);
        return type && { ...type, elements: inner.elements.get(name) };
      });
    },
  };
}
