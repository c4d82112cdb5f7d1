import { IllegalGraphError } from "../errors.ts";
import { dtypeToOnnx } from "../model/dtypes.ts";
import { type DType, float32, float64, int64, sizeOf, type Tensor } from "../tensor.ts";
import { isStatic, sameDim, sameShape } from "./dims.ts";
import {
  type Attribute,
  type Attributes,
  copyGraph,
  emptyGraph,
  type Graph,
  type Initializer,
  initializerOf,
  type Node,
  type Shape,
  type ValueInfo,
} from "./graph.ts";
import { addInitializer, type Facts, inferGraph, inferNode } from "./infer.ts";

/** The name of a value in the graph. */
export type Value = string;

/** A value, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number;

type AttributeInput = number | string | readonly number[] | undefined;

/**
 * Attributes that ONNX types as floats; every other number is an int. Only operators that this builder is asked to emit
 * need a row.
 */
const floatAttributes: ReadonlySet<string> = new Set([
  "alpha",
  "beta",
  "epsilon",
  "gamma",
  "cubic_coeff_a",
  "extrapolation_value",
  "bias",
  "scale",
  "softcap",
  "momentum",
]);

/**
 * Adds nodes to a graph, one typed method per ONNX operator that we emit, in the form that opset 18 and later share.
 * It keeps the shape facts up to date, and what they settle (the Shape of a value of known size, arithmetic on it) becomes a
 * constant instead of a node.
 */
export class Builder {
  readonly graph: Graph;
  readonly facts: Facts;
  /** Names begin with this, so that what was added can be told apart from the model's own values. */
  readonly prefix: string;
  #taken: Set<string>;
  #constants = new Map<string, Value>();
  #counter = 0;

  constructor(graph: Graph, options: { facts?: Facts; prefix?: string } = {}) {
    this.graph = graph;
    this.facts = options.facts ?? inferGraph(graph);
    this.prefix = options.prefix ?? "camkit";
    this.#taken = new Set([...this.facts.types.keys(), ...graph.initializers.keys()]);
    for (const node of graph.nodes) for (const name of node.outputs) this.#taken.add(name);
  }

  // --- facts -------------------------------------------------------------------------------------------------------

  dtype(value: Value): DType {
    return this.facts.types.get(value)?.dtype ?? "float32";
  }

  /** Dimensions of a value, symbols included; undefined when not even the rank is known. */
  dims(value: Value): Shape | undefined {
    return this.facts.types.get(value)?.shape;
  }

  /** The rank of a value. Throws IllegalGraphError when shape inference couldn't find it. */
  rank(value: Value): number {
    const shape = this.dims(value);
    if (shape) return shape.length;
    throw new IllegalGraphError(`the rank of "${value}" is not known`, {
      hint: "Run the file through onnx.shape_inference, or export it with known ranks.",
    });
  }

  /** Contents of a small integer value where they are known numbers. */
  integers(value: Value): readonly number[] | undefined {
    const found = this.facts.elements.get(value);
    return found?.every((dim) => typeof dim === "number") ? (found as readonly number[]) : undefined;
  }

  /** Records what a rule knows but shape inference can't see: `value` has the shape of `like`. */
  shapedLike(value: Value, like: Value): Value {
    const shape = this.dims(like);
    if (shape) this.facts.types.set(value, { dtype: this.dtype(value), shape });
    return value;
  }

  // --- nodes and constants -----------------------------------------------------------------------------------------

  /** A name that nothing in the graph has yet. */
  fresh(hint: string): Value {
    let name: string;
    do name = `${this.prefix}/${hint}_${this.#counter++}`;
    while (this.#taken.has(name));
    this.#taken.add(name);
    return name;
  }

  /** Adds a node with any operator. Numbers among the attributes are ints unless ONNX says float. */
  node(
    opType: string,
    inputs: readonly (Value | undefined)[],
    attributes: Record<string, AttributeInput> = {},
    options: { outputs?: number; domain?: string } = {},
  ): Value[] {
    for (const [name, given] of Object.entries(attributes))
      if (!isWhole(name, given))
        throw new IllegalGraphError(`${opType} would get ${name} = [${given}]: sizes that don't fit together`);
    const names = Array.from({ length: options.outputs ?? 1 }, (_, i) =>
      this.fresh(i === 0 ? opType : `${opType}.${i}`),
    );
    const trimmed = [...inputs.map((input) => input ?? "")];
    while (trimmed.at(-1) === "") trimmed.pop();
    return this.append({
      opType,
      domain: options.domain ?? "",
      name: names[0]!,
      inputs: trimmed,
      outputs: names,
      attributes: toAttributes(attributes),
    });
  }

  /** Adds a finished node, or constants in its place when its outputs are known integers. Returns its output values. */
  append(node: Node): Value[] {
    inferNode(node, this.facts);
    const folded = node.outputs.map((name) => this.#settled(name));
    if (folded.length > 0 && folded.every((tensor) => tensor !== undefined))
      return folded.map((tensor) => this.constant(tensor));
    this.graph.nodes.push(node);
    return [...node.outputs];
  }

  /** Gives a value a second name, which stays a node even where the contents are known. */
  alias(value: Value, name: Value): Value {
    const node: Node = { opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} };
    inferNode(node, this.facts);
    this.graph.nodes.push(node);
    return name;
  }

  /** An integer value whose contents are known, as a tensor. */
  #settled(name: Value): Tensor | undefined {
    const values = this.integers(name);
    const type = this.facts.types.get(name);
    if (!values?.every(Number.isInteger) || !type || !isStatic(type.shape)) return undefined;
    if (values.length !== sizeOf(type.shape)) return undefined;
    const { dtype, shape } = type;
    if (dtype === "int64") return int64(shape, values);
    if (dtype === "int32") return { dtype, shape, data: Int32Array.from(values) };
    return dtype === "bool" ? { dtype, shape, data: Uint8Array.from(values) } : undefined;
  }

  /** A constant. Equal small ones are shared. */
  constant(tensor: Tensor, hint = "constant"): Value {
    const initializer = initializerOf(tensor);
    const small = initializer.byteLength <= 256 && !initializer.strings;
    const key = small ? `${tensor.dtype}[${tensor.shape}]${initializer.bytes}` : "";
    const existing = small ? this.#constants.get(key) : undefined;
    if (existing) return existing;
    const name = this.fresh(hint);
    this.graph.initializers.set(name, initializer);
    addInitializer(this.facts, name, initializer);
    if (small) this.#constants.set(key, name);
    return name;
  }

  /** A constant under a name that is given. */
  initializer(name: Value, tensor: Initializer): Value {
    this.#taken.add(name);
    this.graph.initializers.set(name, tensor);
    addInitializer(this.facts, name, tensor);
    return name;
  }

  /** A scalar of the given type. */
  scalar(value: number, dtype: DType): Value {
    if (/^u?int/.test(dtype) && !Number.isInteger(value))
      throw new IllegalGraphError(`${value} is no ${dtype}: the types of what meets here don't fit`);
    switch (dtype) {
      case "float32":
        return this.constant(float32([], [value]));
      case "float64":
        return this.constant(float64([], [value]));
      case "int64":
        return this.constant(int64([], [value]));
      case "int32":
        return this.constant({ dtype, shape: [], data: Int32Array.of(value) });
      case "bool":
        return this.constant({ dtype, shape: [], data: Uint8Array.of(value) });
      default:
        return this.cast(this.constant(float32([], [value])), dtype);
    }
  }

  /** A 1-D int64 constant: a shape, axes, pads. */
  ints(values: readonly number[]): Value {
    if (values.some((value) => !Number.isInteger(value) && Math.abs(value) !== Number.POSITIVE_INFINITY))
      throw new IllegalGraphError(`sizes that don't fit together: [${values.join(", ")}]`);
    return this.constant(int64([values.length], values));
  }

  /** A whole tensor of one number with a static shape. */
  filled(value: number, shape: readonly number[], dtype: DType): Value {
    return this.expand(this.scalar(value, dtype), this.ints(shape));
  }

  /** An operand as a value: a number takes the type of `like`. */
  value(operand: Operand, like: Value): Value {
    return typeof operand === "number" ? this.scalar(operand, this.dtype(like)) : operand;
  }

  #pair(a: Operand, b: Operand): [Value, Value] {
    if (typeof a === "number" && typeof b === "number") throw new IllegalGraphError("two plain numbers need no node");
    return [this.value(a, b as Value), this.value(b, a as Value)];
  }

  #unary(opType: string, x: Value, attributes: Record<string, AttributeInput> = {}): Value {
    return this.node(opType, [x], attributes)[0]!;
  }

  #binary(opType: string, a: Operand, b: Operand, attributes: Record<string, AttributeInput> = {}): Value {
    return this.node(opType, this.#pair(a, b), attributes)[0]!;
  }

  // --- element-wise ------------------------------------------------------------------------------------------------

  /** a + b; a known zero disappears. */
  add(a: Operand, b: Operand): Value {
    if (b === 0 && typeof a === "string") return a;
    if (a === 0 && typeof b === "string") return b;
    return this.#binary("Add", a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return b === 0 && typeof a === "string" ? a : this.#binary("Sub", a, b);
  }
  /** a · b; a known one disappears. */
  mul(a: Operand, b: Operand): Value {
    if (b === 1 && typeof a === "string") return a;
    if (a === 1 && typeof b === "string") return b;
    return this.#binary("Mul", a, b);
  }
  div(a: Operand, b: Operand): Value {
    return b === 1 && typeof a === "string" ? a : this.#binary("Div", a, b);
  }
  pow(a: Operand, b: Operand): Value {
    return this.#binary("Pow", a, b);
  }
  mod(a: Operand, b: Operand, fmod = 0): Value {
    return this.#binary("Mod", a, b, { fmod });
  }
  max(a: Operand, b: Operand): Value {
    return this.#binary("Max", a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.#binary("Min", a, b);
  }
  neg(x: Value): Value {
    return this.#unary("Neg", x);
  }
  abs(x: Value): Value {
    return this.#unary("Abs", x);
  }
  sign(x: Value): Value {
    return this.#unary("Sign", x);
  }
  sqrt(x: Value): Value {
    return this.#unary("Sqrt", x);
  }
  reciprocal(x: Value): Value {
    return this.#unary("Reciprocal", x);
  }
  exp(x: Value): Value {
    return this.#unary("Exp", x);
  }
  log(x: Value): Value {
    return this.#unary("Log", x);
  }
  sin(x: Value): Value {
    return this.#unary("Sin", x);
  }
  cos(x: Value): Value {
    return this.#unary("Cos", x);
  }
  erf(x: Value): Value {
    return this.#unary("Erf", x);
  }
  tanh(x: Value): Value {
    return this.#unary("Tanh", x);
  }
  sigmoid(x: Value): Value {
    return this.#unary("Sigmoid", x);
  }
  softplus(x: Value): Value {
    return this.#unary("Softplus", x);
  }
  relu(x: Value): Value {
    return this.#unary("Relu", x);
  }
  floor(x: Value): Value {
    return this.#unary("Floor", x);
  }
  ceil(x: Value): Value {
    return this.#unary("Ceil", x);
  }
  round(x: Value): Value {
    return this.#unary("Round", x);
  }
  softmax(x: Value, axis: number): Value {
    return this.#unary("Softmax", x, { axis });
  }
  logSoftmax(x: Value, axis: number): Value {
    return this.#unary("LogSoftmax", x, { axis });
  }
  clip(x: Value, low?: Operand, high?: Operand): Value {
    const bound = (operand: Operand | undefined) => (operand === undefined ? undefined : this.value(operand, x));
    return this.node("Clip", [x, bound(low), bound(high)])[0]!;
  }
  cast(x: Value, to: DType): Value {
    return this.dtype(x) === to ? x : this.#unary("Cast", x, { to: dtypeToOnnx(to) });
  }

  // --- comparisons and choice --------------------------------------------------------------------------------------

  equal(a: Operand, b: Operand): Value {
    return this.#binary("Equal", a, b);
  }
  greater(a: Operand, b: Operand): Value {
    return this.#binary("Greater", a, b);
  }
  greaterOrEqual(a: Operand, b: Operand): Value {
    return this.#binary("GreaterOrEqual", a, b);
  }
  less(a: Operand, b: Operand): Value {
    return this.#binary("Less", a, b);
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.#binary("LessOrEqual", a, b);
  }
  and(a: Value, b: Value): Value {
    return this.#binary("And", a, b);
  }
  or(a: Value, b: Value): Value {
    return this.#binary("Or", a, b);
  }
  not(x: Value): Value {
    return this.#unary("Not", x);
  }
  isNaN(x: Value): Value {
    return this.#unary("IsNaN", x);
  }
  where(condition: Value, a: Operand, b: Operand): Value {
    return this.node("Where", [condition, ...this.#pair(a, b)])[0]!;
  }

  // --- reductions --------------------------------------------------------------------------------------------------

  reduceSum(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceSum", x, options);
  }
  reduceMean(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceMean", x, options);
  }
  reduceMax(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceMax", x, options);
  }
  reduceMin(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceMin", x, options);
  }
  reduceProd(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceProd", x, options);
  }
  reduceL1(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceL1", x, options);
  }
  reduceL2(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceL2", x, options);
  }
  reduceSumSquare(x: Value, options: ReduceOptions): Value {
    return this.#reduce("ReduceSumSquare", x, options);
  }
  /** Reduces over constant axes, or over axes computed in the graph (an int64 value; none of them: nothing is reduced). */
  #reduce(opType: string, x: Value, { axes, keepdims = true }: ReduceOptions): Value {
    if (typeof axes !== "string" && axes.length === 0) return x;
    const list = axes === "all" ? undefined : typeof axes === "string" ? axes : this.ints(axes);
    return this.node(opType, [x, list], {
      keepdims: Number(keepdims),
      noop_with_empty_axes: Number(axes !== "all"),
    })[0]!;
  }
  argMax(x: Value, options: { axis: number; keepdims?: boolean }): Value {
    return this.#unary("ArgMax", x, { axis: options.axis, keepdims: Number(options.keepdims ?? true) });
  }

  // --- linear algebra ----------------------------------------------------------------------------------------------

  matMul(a: Value, b: Value): Value {
    return this.#binary("MatMul", a, b);
  }
  gemm(a: Value, b: Value, options: { transA?: boolean; transB?: boolean; alpha?: number } = {}): Value {
    const { transA = false, transB = false, alpha = 1 } = options;
    return this.node("Gemm", [a, b], { transA: Number(transA), transB: Number(transB), alpha })[0]!;
  }
  einsum(equation: string, ...inputs: Value[]): Value {
    return this.node("Einsum", inputs, { equation })[0]!;
  }
  conv(x: Value, w: Value, attributes: ConvAttributes = {}): Value {
    return this.node("Conv", [x, w], { ...attributes })[0]!;
  }
  convTranspose(x: Value, w: Value, attributes: ConvAttributes & { output_padding?: readonly number[] } = {}): Value {
    return this.node("ConvTranspose", [x, w], { ...attributes })[0]!;
  }

  maxPool(x: Value, attributes: PoolAttributes): Value {
    return this.node("MaxPool", [x], { ...attributes })[0]!;
  }
  /** Where each maximum was: positions in the flattened x, the first one among equals. */
  maxPoolIndices(x: Value, attributes: PoolAttributes): Value {
    return this.node("MaxPool", [x], { ...attributes }, { outputs: 2 })[1]!;
  }
  averagePool(x: Value, attributes: PoolAttributes & { count_include_pad?: number }): Value {
    return this.node("AveragePool", [x], { ...attributes })[0]!;
  }
  /** Resizes every axis: by constant scales, or to sizes that may be computed in the graph. */
  resize(x: Value, to: { scales: readonly number[] } | { sizes: Ints }, attributes: ResizeAttributes = {}): Value {
    if ("scales" in to) {
      const scales = this.constant(float32([to.scales.length], to.scales));
      return this.node("Resize", [x, undefined, scales], attributes)[0]!;
    }
    const sizes = typeof to.sizes === "string" ? to.sizes : this.ints(to.sizes);
    return this.node("Resize", [x, undefined, undefined, sizes], attributes)[0]!;
  }

  // --- shape -------------------------------------------------------------------------------------------------------

  /** The shape as a 1-D int64 value; a constant where every dimension is known. `start`/`end` cut it as in ONNX. */
  shape(x: Value, start?: number, end?: number): Value {
    return this.node("Shape", [x], { start, end })[0]!;
  }
  /** One dimension of x as a 1-element int64 value. */
  dim(x: Value, axis: number): Value {
    const at = axis < 0 ? axis + this.rank(x) : axis;
    return this.shape(x, at, at + 1);
  }
  /** The number of elements along some axes, as a 1-element int64 value. */
  count(x: Value, axes: readonly number[]): Value {
    if (axes.length === 0) return this.ints([1]);
    return axes.map((axis) => this.dim(x, axis)).reduce((a, b) => this.mul(a, b));
  }
  /** Reshapes to numbers (0 copies, -1 infers) or to a shape computed in the graph; no node where it changes nothing. */
  reshape(x: Value, shape: readonly number[] | Value): Value {
    const target = typeof shape === "string" ? shape : this.ints(shape);
    const dims = this.dims(x);
    const wanted = this.integers(target);
    if (isStatic(dims) && wanted && dims.length === wanted.length && dims.every((dim, i) => dim === wanted[i]))
      return x;
    return this.node("Reshape", [x, target])[0]!;
  }
  /** Reshapes to the shape of `like`, which is read at run time only where two or more of its dimensions are unknown. */
  reshapeLike(x: Value, like: Value): Value {
    const from = this.dims(x);
    const to = this.dims(like);
    if (sameShape(from, to)) return x;
    const target = to?.map((dim, i) => (typeof dim === "number" ? dim : sameDim(dim, from?.[i]) ? 0 : -1));
    const settled = target && to?.every((dim) => dim !== 0) && target.filter((dim) => dim === -1).length <= 1;
    const reshaped = settled
      ? this.reshape(x, target)
      : this.node("Reshape", [x, this.shape(like)], { allowzero: 1 })[0]!;
    return this.shapedLike(reshaped, like);
  }
  /** A shape from numbers (0 and -1 as Reshape reads them) and 1-element int64 values; one unknown size becomes the -1. */
  sizes(parts: readonly Operand[]): Value {
    const known = parts.map((part) => (typeof part === "number" ? part : this.integers(part)?.[0]));
    const open = known.filter((size) => size === undefined || size === -1).length;
    if (open <= 1) return this.ints(known.map((size) => size ?? -1));
    return this.concat(
      parts.map((part) => (typeof part === "number" ? this.ints([part]) : part)),
      0,
    );
  }
  expand(x: Value, shape: readonly number[] | Value): Value {
    return this.node("Expand", [x, typeof shape === "string" ? shape : this.ints(shape)])[0]!;
  }
  transpose(x: Value, perm: readonly number[]): Value {
    return perm.every((axis, i) => axis === i) ? x : this.#unary("Transpose", x, { perm });
  }
  squeeze(x: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? x : this.node("Squeeze", [x, this.ints(axes)])[0]!;
  }
  unsqueeze(x: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? x : this.node("Unsqueeze", [x, this.ints(axes)])[0]!;
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0]! : this.node("Concat", values, { axis })[0]!;
  }
  /** Cuts along constant axes; starts and ends are numbers or 1-D int64 values. */
  slice(x: Value, cut: { axes: readonly number[]; starts: Ints; ends: Ints; steps?: readonly number[] }): Value {
    const list = (values: Ints) => (typeof values === "string" ? values : this.ints(values));
    return this.node("Slice", [
      x,
      list(cut.starts),
      list(cut.ends),
      this.ints(cut.axes),
      cut.steps && this.ints(cut.steps),
    ])[0]!;
  }
  split(x: Value, options: { axis: number; sizes: readonly number[] | Value; outputs: number }): Value[] {
    const sizes = typeof options.sizes === "string" ? options.sizes : this.ints(options.sizes);
    return this.node("Split", [x, sizes], { axis: options.axis }, { outputs: options.outputs });
  }
  gather(x: Value, indices: Value, axis = 0): Value {
    return this.node("Gather", [x, indices], { axis })[0]!;
  }
  gatherElements(x: Value, indices: Value, axis: number): Value {
    return this.node("GatherElements", [x, indices], { axis })[0]!;
  }
  gatherND(x: Value, indices: Value, batchDims = 0): Value {
    return this.node("GatherND", [x, indices], { batch_dims: batchDims })[0]!;
  }
  scatterElements(x: Value, indices: Value, updates: Value, axis: number, reduction = "none"): Value {
    return this.node("ScatterElements", [x, indices, updates], { axis, reduction })[0]!;
  }
  scatterND(x: Value, indices: Value, updates: Value, reduction = "none"): Value {
    return this.node("ScatterND", [x, indices, updates], { reduction })[0]!;
  }
  /**
   * Pads: all leading pads, then all trailing ones, as in ONNX; negative ones crop. Of all axes, or of `axes` alone, which
   * become pads of all axes: ONNX Runtime's transpose optimiser (1.30) mistakes a Pad that has the axes input.
   */
  pad(x: Value, pads: Ints, value: Operand = 0, mode = "constant", axes?: readonly number[]): Value {
    const given = typeof pads === "string" ? pads : this.ints(pads);
    const list = axes ? this.#padsOfAll(given, axes, this.rank(x)) : given;
    return this.node("Pad", [x, list, this.value(value, x)], { mode })[0]!;
  }
  #padsOfAll(pads: Value, axes: readonly number[], rank: number): Value {
    const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
    const one = (at: number) =>
      at < 0 ? this.ints([0]) : this.slice(pads, { axes: [0], starts: [at], ends: [at + 1] });
    const side = (offset: number) =>
      Array.from({ length: rank }, (_, axis) => one(places.includes(axis) ? places.indexOf(axis) + offset : -1));
    return this.concat([...side(0), ...side(axes.length)], 0);
  }
  tile(x: Value, repeats: Ints): Value {
    return this.node("Tile", [x, typeof repeats === "string" ? repeats : this.ints(repeats)])[0]!;
  }
  /** Numbers from `start` (inclusive) to `limit` (exclusive); all three are scalars of one type. */
  range(start: Value, limit: Value, delta: Value): Value {
    return this.node("Range", [start, limit, delta])[0]!;
  }
  nonZero(x: Value): Value {
    return this.#unary("NonZero", x);
  }
  cumSum(x: Value, axis: number, options: { exclusive?: boolean; reverse?: boolean } = {}): Value {
    const at = this.scalar(axis, "int64");
    return this.node("CumSum", [x, at], {
      exclusive: Number(options.exclusive ?? false),
      reverse: Number(options.reverse ?? false),
    })[0]!;
  }
  /**
   * A loop along axis 0 of some sequences (`reverse`: from the end, results laid out in the sequences' order all the same). The
   * body gets the states and one element of each sequence, and answers with the next states and what to keep of this step;
   * it may use values of the graph around it. Returns the last states, and what was kept, stacked along axis 0.
   */
  scan(given: {
    states: readonly Value[];
    sequences: readonly Value[];
    reverse?: boolean;
    body: (op: Builder, states: Value[], elements: Value[]) => { states: readonly Value[]; kept: readonly Value[] };
  }): { states: Value[]; kept: Value[] } {
    const { states, sequences } = given;
    const inner = this.inner("Scan");
    const input = (hint: string, like: Value, shape: Shape | undefined) =>
      inner.input({ name: inner.fresh(hint), dtype: this.dtype(like), shape });
    const before = states.map((state) => input("state", state, this.dims(state)));
    const elements = sequences.map((one) => input("element", one, this.dims(one)?.slice(1)));
    const { states: after, kept } = given.body(inner, before, elements);
    for (const value of [...after, ...kept]) inner.output(value);
    const direction = Number(given.reverse ?? false);
    const outputs = this.append({
      opType: "Scan",
      domain: "",
      name: inner.prefix,
      inputs: [...states, ...sequences],
      outputs: [...after, ...kept].map((_, i) => this.fresh(i < states.length ? "Scan.state" : "Scan.kept")),
      attributes: {
        body: { type: "graph", value: inner.graph },
        num_scan_inputs: { type: "int", value: sequences.length },
        scan_input_directions: { type: "ints", value: sequences.map(() => direction) },
        scan_output_directions: { type: "ints", value: kept.map(() => direction) },
      },
    });
    return { states: outputs.slice(0, states.length), kept: outputs.slice(states.length) };
  }
  /** A builder for a sub-graph, which sees the values of this one: of a copy of `graph`, or of an empty one. */
  inner(hint: string, graph: Graph = emptyGraph(hint, this.graph.opsets)): Builder {
    const prefix = this.fresh(hint);
    return new Builder(copyGraph(graph), { facts: inferGraph(graph, this.facts), prefix });
  }
  /** Adds an input to the graph. Its type is written into the file: for a loop, the runtime wants to know ranks. */
  input(info: ValueInfo): Value {
    this.graph.inputs.push(info);
    this.graph.types.set(info.name, info);
    this.facts.types.set(info.name, info);
    this.#taken.add(info.name);
    return info.name;
  }
  /** Adds an output to the graph, under a name of its own: a body may answer with what it was given, or twice with one value. */
  output(value: Value): Value {
    const name = this.alias(value, this.fresh("output"));
    const type = { dtype: this.dtype(name), shape: this.dims(name) };
    this.graph.types.set(name, type);
    this.graph.outputs.push({ name, ...type });
    return name;
  }
  /** 1 at `indices` along a new last axis of `depth` entries, 0 elsewhere. */
  oneHot(indices: Value, depth: Value, dtype: DType): Value {
    const values = this.constant(dtype === "float64" ? float64([2], [0, 1]) : float32([2], [0, 1]));
    return this.cast(this.node("OneHot", [indices, depth, values], { axis: -1 })[0]!, dtype);
  }
  /** The identity matrix of a size given as a 1-element int64 value. */
  eye(size: Value, dtype: DType): Value {
    const zeros = this.expand(this.scalar(0, dtype), this.concat([size, size], 0));
    return this.#unary("EyeLike", zeros);
  }
  /** Zeros (or another number) in the shape and type of `x`. */
  fillLike(x: Value, value: number): Value {
    return this.expand(this.scalar(value, this.dtype(x)), this.shape(x));
  }
}

export type Ints = readonly number[] | Value;
export type ReduceOptions = { axes: readonly number[] | Value | "all"; keepdims?: boolean };
export type ConvAttributes = {
  strides?: readonly number[];
  dilations?: readonly number[];
  pads?: readonly number[];
  group?: number;
  auto_pad?: string;
  kernel_shape?: readonly number[];
};
export type PoolAttributes = {
  kernel_shape: readonly number[];
  strides?: readonly number[] | undefined;
  dilations?: readonly number[] | undefined;
  pads?: readonly number[] | undefined;
  auto_pad?: string | undefined;
  ceil_mode?: number | undefined;
};
export type ResizeAttributes = {
  mode?: "nearest" | "linear" | "cubic";
  coordinate_transformation_mode?: string;
  nearest_mode?: string;
};

function toAttributes(given: Record<string, AttributeInput>): Attributes {
  const attributes: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (typeof value === "string") attributes[name] = { type: "string", value };
    else if (typeof value === "number") attributes[name] = { type: floatAttributes.has(name) ? "float" : "int", value };
    else attributes[name] = { type: "ints", value };
  }
  return attributes;
}

/** Whether what becomes an int attribute is one. */
function isWhole(name: string, given: AttributeInput): boolean {
  if (given === undefined || typeof given === "string") return true;
  if (typeof given === "number") return floatAttributes.has(name) || Number.isInteger(given);
  return given.every(Number.isInteger);
}
