import { positionsOf } from "../../tensor.ts";
import { Builder, type Value } from "../builder.ts";
import { isStatic } from "../dims.ts";
import { type Graph, type Node, numberAttribute, numbersAttribute, readsOf, topological } from "../graph.ts";
import { type Facts, inferGraph } from "../infer.ts";

/**
 * Evaluates a float32 graph in float64: inputs and weights are cast when they are read, outputs when they are written. The
 * CPU has no float64 kernel for some operators: convolutions and global pools are spelled out with some that it has, the rest
 * runs in float32 between two casts.
 *
 * Made for gradients of networks with kinks: a ReLU whose input is within float32's rounding of zero takes the side that
 * exact arithmetic takes. Slow (a convolution becomes a gather and a product) and not for serving.
 */
export function inDouble(source: Graph): Graph {
  const facts = inferGraph(source);
  const graph: Graph = {
    ...source,
    inputs: [...source.inputs],
    outputs: source.outputs.map((output) => ({
      ...output,
      dtype: facts.types.get(output.name)?.dtype ?? output.dtype,
    })),
    nodes: [],
    initializers: new Map(source.initializers),
    types: new Map(),
  };
  const op = new Builder(graph, { prefix: "camkit/double" });
  const doubles = new Map<Value, Value>();
  const given = new Set([...source.initializers.keys(), ...source.inputs.map((input) => input.name)]);
  /** The float64 twin of a float32 value. */
  const double = (name: Value): Value => {
    if (!isSingle(facts, name)) return name;
    const existing = doubles.get(name) ?? op.cast(name, "float64");
    doubles.set(name, existing);
    return existing;
  };
  /** What a sub-graph takes from around it stays float32, under its own name: its inside isn't converted. */
  const published = new Set<Value>();
  const publish = (name: Value) => {
    if (!doubles.has(name) || published.has(name) || given.has(name)) return;
    published.add(name);
    op.append({
      opType: "Cast",
      domain: "",
      name: op.fresh("back"),
      inputs: [doubles.get(name)!],
      outputs: [name],
      attributes: { to: { type: "int", value: 1 } },
    });
  };
  for (const node of topological(source)) {
    for (const name of readsOf(node)) if (!node.inputs.includes(name)) publish(name);
    const singles = node.outputs.map((name) => name !== "" && isSingle(facts, name));
    const results = converted(op, node, facts, double) ?? betweenCasts(op, node, facts, singles, double);
    node.outputs.forEach((name, i) => {
      if (name === "") return;
      // Some outputs stay float32 whatever goes in (LayerNormalization's statistics).
      const twin = singles[i] ? op.cast(results[i]!, "float64") : op.alias(results[i]!, name);
      if (singles[i]) doubles.set(name, twin);
      // What the file declares of a value, no rule of ours may find again.
      const shape = facts.types.get(name)?.shape;
      if (shape && !op.dims(twin)) op.facts.types.set(twin, { dtype: singles[i] ? "float64" : op.dtype(twin), shape });
    });
  }
  for (const output of graph.outputs) publish(output.name);
  graph.types = op.facts.types;
  return graph;
}

function isSingle(facts: Facts, name: Value): boolean {
  return facts.types.get(name)?.dtype === "float32";
}

type Double = (name: Value) => Value;

/** The node on float64 values, where the CPU can; undefined where it can't. */
function converted(op: Builder, node: Node, facts: Facts, double: Double): Value[] | undefined {
  if (node.domain !== "") return undefined;
  if (node.opType === "Conv") return convolution(op, node, facts, double);
  if (node.opType === "GlobalAveragePool") {
    const x = double(node.inputs[0]!);
    return [op.reduceMean(x, { axes: Array.from({ length: op.rank(x) - 2 }, (_, i) => i + 2) })];
  }
  if (node.opType === "Cast" && isSingle(facts, node.outputs[0]!)) return [op.cast(double(node.inputs[0]!), "float64")];
  const touchesSingles = [...node.inputs, ...node.outputs].some((name) => name !== "" && isSingle(facts, name));
  if (touchesSingles && !hasDoubleKernel.has(node.opType)) return undefined;
  return again(
    op,
    node,
    facts,
    node.inputs.map((name) => (name === "" ? "" : double(name))),
  );
}

/** The node in float32, its inputs and outputs cast. */
function betweenCasts(op: Builder, node: Node, facts: Facts, singles: readonly boolean[], double: Double): Value[] {
  const inputs = node.inputs.map((name) => {
    // A weight is float32 already; an empty one means that an input is absent, which a cast would hide.
    if (name === "" || op.graph.initializers.has(name)) return name;
    const value = double(name);
    return value !== name ? op.cast(value, "float32") : value;
  });
  return again(op, node, facts, inputs).map((value, i) => (singles[i] ? op.cast(value, "float64") : value));
}

function again(op: Builder, node: Node, facts: Facts, inputs: readonly Value[]): Value[] {
  const outputs = node.outputs.map((name) => (name === "" ? "" : op.fresh(node.opType)));
  const made = op.append({ ...node, name: op.fresh(node.opType), inputs, outputs });
  // What no shape rule knows is as it was declared.
  made.forEach((name, i) => {
    const declared = facts.types.get(node.outputs[i]!);
    if (declared && !op.facts.types.has(name)) op.facts.types.set(name, declared);
  });
  return made;
}

/**
 * Conv as a gather of the windows and one product per group. For fixed sizes and explicit pads; undefined otherwise.
 *
 *   x [N, C, ...s] → windows [N, g, C/g·k, P],   w [M, C/g, ...k] → [g, M/g, C/g·k],   y = w @ windows → [N, M, ...o]
 */
function convolution(op: Builder, node: Node, facts: Facts, double: Double): Value[] | undefined {
  const [x, w, bias] = node.inputs as [Value, Value, Value?];
  const [input, weight, output] = [x, w, node.outputs[0]!].map((name) => facts.types.get(name)?.shape) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const autoPad = node.attributes.auto_pad;
  if (
    !isStatic(input?.slice(1)) ||
    !isStatic(weight) ||
    !isStatic(output?.slice(1)) ||
    (autoPad?.type === "string" && autoPad.value !== "NOTSET")
  )
    return undefined;
  const kernel = weight.slice(2);
  const ones = kernel.map(() => 1);
  const strides = numbersAttribute(node, "strides") ?? ones;
  const dilations = numbersAttribute(node, "dilations") ?? ones;
  const pads = numbersAttribute(node, "pads") ?? [...kernel, ...kernel].map(() => 0);
  const groups = numberAttribute(node, "group", 1);
  // Lists that don't fit the kernel are for the runtime to refuse.
  if ([strides, dilations].some((list) => list.length !== kernel.length) || pads.length !== 2 * kernel.length)
    return undefined;
  const begins = pads.slice(0, kernel.length);
  const ends = pads.slice(kernel.length);
  const padded = input.slice(2).map((size, i) => size + begins[i]! + ends[i]!);
  const places = output.slice(2);
  if (product(places) * product(kernel) > mostIndices || product(padded) >= 2 ** 31) return undefined;
  const [channels, taps, positions] = [input[1]!, product(kernel), product(places)];
  const whole = pads.every((pad) => pad === 0) ? double(x) : op.pad(double(x), [0, 0, ...begins, 0, 0, ...ends]);
  const flat = op.reshape(whole, [-1, channels, product(padded)]);
  const data = windowIndex(kernel, strides, dilations, padded, places);
  const index = op.constant({ dtype: "int32", shape: [taps, positions], data });
  const windows = op.reshape(op.gather(flat, index, 2), [-1, groups, (channels / groups) * taps, positions]);
  const matrix = op.reshape(double(w), [1, groups, weight[0]! / groups, weight[1]! * taps]);
  const y = op.reshape(op.matMul(matrix, windows), [-1, weight[0]!, ...places]);
  return [bias ? op.add(y, op.reshape(double(bias), [1, weight[0]!, ...places.map(() => 1)])) : y];
}

/** More than this many indices take longer to write down than float64 is worth: such a convolution runs in float32. */
const mostIndices = 2 ** 24;

/** Flat position in the padded input of each tap of each window: [taps, positions]. */
function windowIndex(
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  padded: readonly number[],
  places: readonly number[],
): Int32Array {
  const flat = (at: readonly number[]) => padded.reduce((sum, size, i) => sum * size + at[i]!, 0);
  const taps = positionsOf(kernel).map((k) => flat(k.map((at, i) => at * dilations[i]!)));
  const starts = positionsOf(places).map((o) => flat(o.map((at, i) => at * strides[i]!)));
  const index = new Int32Array(taps.length * starts.length);
  taps.forEach((tap, row) => {
    for (let at = 0; at < starts.length; at++) index[row * starts.length + at] = tap + starts[at]!;
  });
  return index;
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

/** Operators with a float64 kernel on the CPU, as far as networks need them. What is missing runs in float32. */
const hasDoubleKernel: ReadonlySet<string> = new Set(
  (
    "Add Sub Mul Div Neg Abs Sqrt Exp Log Pow Reciprocal Floor Ceil Round Sign Max Min Sum Relu Sigmoid Tanh Clip Where " +
    "MatMul Gemm ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd Softmax LogSoftmax LayerNormalization BatchNormalization " +
    "MaxPool Concat Slice Split Gather GatherElements Transpose Reshape Flatten Squeeze Unsqueeze Pad Expand Tile Identity " +
    "Equal Greater Less GreaterOrEqual LessOrEqual ScatterElements Shape ArgMax Cast"
  ).split(" "),
);
