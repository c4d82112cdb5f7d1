import {
  Builder,
  checkGraph,
  copyGraph,
  float32,
  type Graph,
  initializerOf,
  type Node,
  numberAttribute,
  producersOf,
  pruneUnused,
  topological,
  type Value,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { initialValues } from "./initialisers.ts";
import { renameValue } from "./rename.ts";

/** What turns logits into probabilities: cut off. */
const activations: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax", "Sigmoid"]);

/** What may stand between the head's layer and the logits: it keeps the classes apart. */
const between: ReadonlySet<string> = new Set([
  ...["Identity", "Dropout", "Cast", "Relu", "Flatten", "Reshape", "Squeeze"],
  ...["GlobalAveragePool", "AveragePool", "ReduceMean", "Resize"],
]);

/** The layer that makes the logits: its product, and the Add that has its bias where that is a node of its own. */
type Head = { readonly product: Node; readonly add?: Node; readonly after: readonly Node[] };

/**
 * A copy of a classifier for other classes. Its last dense layer or convolution, the one that makes the logits, gets fresh
 * weights `head.weight` and `head.bias` (`head.new.weight` where such a name serves elsewhere) for `classes` outputs, from the seed, as PyTorch would draw them; a softmax or sigmoid
 * behind it is cut off. The output is called `logits`; it is the only one that is left.
 *
 * Throws NetworkError where no such layer makes the output, naming what was met instead.
 */
export function replaceHead(graph: Graph, classes: number, seed: number): Graph {
  const copy = copyGraph(graph);
  const op = new Builder(copy, { prefix: "head" });
  const { logits, head } = findHead(op);
  const before = classesOf(op, head);
  const swaps = new Map<Node, Node>([
    [head.product, freshProduct(op, head, classes, seed)],
    ...(head.add ? [[head.add, freshBias(op, head, head.add, classes, seed)] as const] : []),
    ...head.after.map((node) => [node, forClasses(op, node, before, classes)] as const),
  ]);
  copy.nodes = copy.nodes.map((node) => swaps.get(node) ?? node);
  // What the file says of shapes behind the head isn't true any more.
  for (const node of swaps.values()) for (const name of node.outputs) copy.types.delete(name);
  const taken = copy.nodes.some((node) => node.outputs.includes("logits"));
  const name = taken ? logits : renameValue(op, logits, "logits");
  const dims = op.dims(logits) ?? [null, null];
  copy.outputs = [{ name, dtype: "float32", shape: dims.map((dim) => (dim === before ? classes : dim)) }];
  pruneUnused(copy);
  checkGraph(copy);
  return copy;
}

/** From the first output back to the layer that makes the logits. */
function findHead(op: Builder): { logits: Value; head: Head } {
  const producers = producersOf(op.graph);
  const stored = (name: Value | undefined) => name !== undefined && constantBehind(op, name) !== undefined;
  let logits = op.graph.outputs[0]!.name;
  const after: Node[] = [];
  for (let value = logits; ; ) {
    const node = producers.get(value);
    const [a = "", b = ""] = node?.inputs ?? [];
    if (!node) break;
    if (node.opType === "Conv" && numberAttribute(node, "group", 1) === 1)
      return { logits, head: { product: node, after } };
    if ((node.opType === "Gemm" || node.opType === "MatMul") && stored(b))
      return { logits, head: { product: node, after } };
    if (node.opType === "Add") {
      const product = producers.get(stored(a) ? b : a);
      if (product?.opType === "MatMul" && (stored(a) || stored(b)) && stored(product.inputs[1]))
        return { logits, head: { product, add: node, after } };
    }
    if (activations.has(node.opType)) {
      logits = a;
      after.length = 0;
    } else if (between.has(node.opType)) after.push(node);
    else
      throw new NetworkError(
        `the head wasn't found: ${node.opType} "${node.name || value}" makes the output "${logits}"`,
        {
          hint: "It must be a dense layer or a convolution, with pooling and a softmax at most behind it.",
        },
      );
    value = a;
  }
  throw new NetworkError(`the head wasn't found: no dense layer or convolution makes the output "${logits}"`);
}

/** The initializer behind a value, through nodes that only turn it. */
function constantBehind(op: Builder, name: Value): string | undefined {
  if (op.graph.initializers.has(name)) return name;
  const node = topological(op.graph).find(({ outputs }) => outputs.includes(name));
  return node && ["Transpose", "Identity"].includes(node.opType) ? constantBehind(op, node.inputs[0]!) : undefined;
}

/** How many classes the layer has now. */
function classesOf(op: Builder, { product }: Head): number {
  const dims = op.dims(product.inputs[1]!);
  const outFirst = product.opType === "Conv" || numberAttribute(product, "transB", 0) === 1;
  const classes = outFirst ? dims?.[0] : dims?.at(-1);
  if (typeof classes === "number") return classes;
  throw new NetworkError(`the shape of the head's weight "${product.inputs[1]}" is not known`);
}

/** Weights keep the layout that the node reads: [classes, in, ...] for Conv and a transposed Gemm, else [in, classes]. */
function freshProduct(op: Builder, head: Head, classes: number, seed: number): Node {
  const { product } = head;
  const dims = op.dims(product.inputs[1]!) as readonly number[];
  const outFirst = product.opType === "Conv" || numberAttribute(product, "transB", 0) === 1;
  const shape = outFirst ? [classes, ...dims.slice(1)] : [...dims.slice(0, -1), classes];
  const fresh = (name: string, sizes: readonly number[]) => stored(op, head, name, sizes, seed);
  const inputs = [product.inputs[0]!, fresh("head.weight", shape)];
  if (product.inputs[2]) inputs.push(fresh("head.bias", [classes]));
  return { ...product, inputs };
}

function freshBias(op: Builder, head: Head, add: Node, classes: number, seed: number): Node {
  const bias = stored(op, head, "head.bias", [classes], seed);
  return { ...add, inputs: add.inputs.map((name) => (constantBehind(op, name) === undefined ? name : bias)) };
}

/** A new parameter; where one of this name serves elsewhere, too, it is called otherwise. */
function stored(op: Builder, head: Head, name: string, shape: readonly number[], seed: number): Value {
  const dims = op.dims(head.product.inputs[1]!) as readonly number[];
  const connections = dims.reduce((a, b) => a * b, 1) / classesOf(op, head);
  const elsewhere = op.graph.nodes.some(
    (node) => node !== head.product && node !== head.add && node.inputs.includes(name),
  );
  const given = elsewhere ? name.replace("head.", "head.new.") : name;
  const values = initialValues({ uniform: 1 / Math.sqrt(connections) }, shape, seed, name);
  op.graph.initializers.set(given, initializerOf(float32(shape, values)));
  return given;
}

/** Which input spells out the sizes of the result. */
const sizesAt: Readonly<Record<string, number>> = { Reshape: 1, Resize: 3 };

/** A node behind the head, where it spells the classes out. */
function forClasses(op: Builder, node: Node, before: number, classes: number): Node {
  const at = sizesAt[node.opType] ?? -1;
  const sizes = node.inputs[at] ? op.integers(node.inputs[at]) : undefined;
  const place = sizes?.indexOf(before, node.opType === "Resize" ? 1 : 0) ?? -1;
  if (!sizes || place < 0) return node;
  return { ...node, inputs: node.inputs.with(at, op.ints(sizes.with(place, classes))) };
}
