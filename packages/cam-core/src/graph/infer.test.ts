import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bool, type DType, float32, int64 } from "../tensor.ts";
import type { Attribute, Dim, Graph, Initializer, Node, Shape, ValueInfo } from "./graph.ts";
import { emptyGraph, initializerOf } from "./graph.ts";
import { inferGraph } from "./infer.ts";
import { shapeRules } from "./shapes/index.ts";

type Constant = { constant: Initializer };
type Input = Constant | { dtype: DType; shape?: Shape } | null;
type Step = readonly [op: string, inputs: readonly string[], output: string, attributes?: Record<string, unknown>];

function graphOf(nodes: readonly Node[], inputs: Record<string, Exclude<Input, null>>, opset: number): Graph {
  const infos: ValueInfo[] = [];
  const initializers = new Map<string, Initializer>();
  for (const [name, input] of Object.entries(inputs))
    if ("constant" in input) initializers.set(name, input.constant);
    else infos.push({ name, ...input });
  return {
    name: "",
    opsets: new Map([["", opset]]),
    inputs: infos,
    outputs: [],
    nodes: [...nodes],
    initializers,
    types: new Map(),
    metadata: new Map(),
  };
}

function attributesOf(values: Record<string, unknown>): Record<string, Attribute> {
  const attribute = (value: unknown, name: string): Attribute => {
    if (typeof value === "object" && value !== null && "type" in value) return value as Attribute;
    if (typeof value === "string") return { type: "string", value };
    if (typeof value === "number") return { type: Number.isInteger(value) ? "int" : "float", value };
    return { type: name === "scales" ? "floats" : "ints", value: value as number[] };
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, attribute(value, name)]));
}

/** What is inferred of a chain of single-output nodes, by the names of their outputs. */
function inferChain(inputs: Record<string, Exclude<Input, null>>, steps: readonly Step[], opset = 18) {
  const nodes = steps.map(([opType, reads, output, attributes]) => ({
    opType,
    domain: "",
    name: output,
    inputs: reads,
    outputs: [output],
    attributes: attributesOf(attributes ?? {}),
  }));
  return inferGraph(graphOf(nodes, inputs, opset));
}

const ints = (...values: number[]): Constant => ({ constant: initializerOf(int64([values.length], values)) });
const int = (value: number): Constant => ({ constant: initializerOf(int64([], [value])) });
const float = (value: number): Constant => ({ constant: initializerOf(float32([], [value])) });
const f = (...shape: Dim[]) => ({ dtype: "float32" as const, shape });
const image = f("n", 3, "h", "w");

// --- measured by ONNX Runtime ------------------------------------------------------------------------------------------

type Sizes = Record<string, number>;
type GoldenInput = null | [DType, Dim[]] | ["const", DType, number[], number[]];
type Golden = {
  op: string;
  ins: GoldenInput[];
  attrs: Record<string, unknown>;
  nout: number;
  opset: number;
  domain: string;
  dtypes: DType[];
  measured: number[][][];
};

const golden: { sizes: Sizes[]; cases: Golden[] } = JSON.parse(
  readFileSync(new URL("./shapes/golden/operators.json", import.meta.url), "utf8"),
);

/** The number an expression stands for, computed from its text alone. */
function evaluate(dim: Dim, sizes: Sizes): number {
  if (typeof dim === "number") return dim;
  const code = String(dim)
    .replaceAll("·", "*")
    .replace(/floor|min/g, "Math.$&");
  return new Function(...Object.keys(sizes), `return ${code}`)(...Object.values(sizes)) as number;
}

function goldenInput(given: Exclude<GoldenInput, null>): Exclude<Input, null> {
  if (given.length === 2) return { dtype: given[0], shape: given[1] };
  const [, dtype, shape, values] = given;
  // JSON.parse rounds INT64_MAX up, out of range.
  const whole = (value: number) => (value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value));
  if (dtype === "int64") return { constant: initializerOf(int64(shape, values.map(whole))) };
  if (dtype === "float32") return { constant: initializerOf(float32(shape, values)) };
  if (dtype === "bool") return { constant: initializerOf(bool(shape, values.map(Boolean))) };
  return { constant: initializerOf({ dtype, shape, data: Int8Array.from(values) }) };
}

/** The case as a graph of one node with inputs i0, i1, … and outputs o0, o1, … */
function goldenGraph(each: Golden, seen: (input: Exclude<Input, null>, at: number) => Exclude<Input, null> = (i) => i) {
  const inputs: Record<string, Exclude<Input, null>> = {};
  for (const [i, given] of each.ins.entries()) if (given) inputs[`i${i}`] = seen(goldenInput(given), i);
  const node: Node = {
    opType: each.op,
    domain: each.domain,
    name: "node",
    inputs: each.ins.map((given, i) => (given ? `i${i}` : "")),
    outputs: Array.from({ length: each.nout }, (_, j) => `o${j}`),
    attributes: attributesOf(each.attrs),
  };
  return graphOf([node], inputs, each.opset);
}

/** Operators whose output sizes depend on the values they see: there, unknown dimensions are right. */
const valueDependent = new Set(["NonZero", "NonMaxSuppression", "Unique"]);

describe("one operator: types and shapes are those that ONNX Runtime returns", () => {
  test.each(golden.cases.map((each, i) => [i, each.op, each] as const))("%i %s", (_, op, each) => {
    const { types } = inferGraph(goldenGraph(each));
    for (const [j, dtype] of each.dtypes.entries()) {
      const type = types.get(`o${j}`);
      expect(type?.dtype).toBe(dtype);
      for (const [at, sizes] of golden.sizes.entries()) {
        const real = each.measured[at]![j]!;
        const found = type!.shape!.map((dim, i) =>
          dim === null && valueDependent.has(op) ? real[i]! : evaluate(dim, sizes),
        );
        expect(found, `${JSON.stringify(type!.shape)} at ${JSON.stringify(sizes)}`).toEqual(real);
      }
    }
  });
});

/** Ways of knowing less of an input: not its contents, not its sizes, not even its rank. */
const blindings: Readonly<Record<string, (input: Exclude<Input, null>) => Exclude<Input, null>>> = {
  contents: (input) => ("constant" in input ? { dtype: input.constant.dtype, shape: input.constant.shape } : input),
  sizes: (input) => {
    const { dtype, shape } = "constant" in input ? input.constant : input;
    return { dtype, shape: shape!.map(() => null) };
  },
  rank: (input) => ({ dtype: "constant" in input ? input.constant.dtype : input.dtype }),
};

describe("one operator: who knows less says less, and nothing else", () => {
  test.each(golden.cases.map((each, i) => [i, each.op, each] as const))("%i %s", (_, __, each) => {
    for (const [what, blind] of Object.entries(blindings))
      for (const hidden of [...each.ins.keys(), "all"]) {
        const graph = goldenGraph(each, (input, at) => (hidden === "all" || hidden === at ? blind(input) : input));
        const { types } = inferGraph(graph);
        for (const [j, dtype] of each.dtypes.entries()) {
          const type = types.get(`o${j}`);
          const where = `the ${what} of input ${hidden} hidden, output ${j}: ${JSON.stringify(type)}`;
          if (type) expect(type.dtype, where).toBe(dtype);
          if (!type?.shape) continue;
          for (const [at, sizes] of golden.sizes.entries()) {
            const real = each.measured[at]![j]!;
            const found = type.shape.map((dim, i) => (dim === null ? real[i]! : evaluate(dim, sizes)));
            expect(found, `${where} at ${JSON.stringify(sizes)}`).toEqual(real);
          }
        }
      }
  });
});

test("every operator of the table is measured, or known to need more than one node", () => {
  const measured = new Set(golden.cases.flatMap(({ op, domain }) => [op, `${domain}:${op}`]));
  // Alike by construction to a measured one, ONNX Runtime's own fusions, or covered by the chains below.
  const others = Object.keys(shapeRules).filter((op) => !measured.has(op));
  expect(others.sort()).toMatchInlineSnapshot(`
    [
      "Acos",
      "Asinh",
      "Atan",
      "Atanh",
      "BiasGelu",
      "BitwiseAnd",
      "BitwiseNot",
      "BitwiseOr",
      "BitwiseXor",
      "Constant",
      "Cosh",
      "FastGelu",
      "FusedConv",
      "FusedGemm",
      "If",
      "QLinearConv",
      "QLinearLeakyRelu",
      "QLinearMatMul",
      "QLinearMul",
      "QLinearSoftmax",
      "QuickGelu",
      "RandomUniform",
      "ReverseSequence",
      "Scan",
      "SimplifiedLayerNormalization",
      "Sinh",
      "SkipSimplifiedLayerNormalization",
      "Swish",
      "TensorScatter",
    ]
  `);
});

// --- symbols, written out ----------------------------------------------------------------------------------------------

test.each<[string, Record<string, Exclude<Input, null>>, Step, Shape]>([
  ["activations keep symbols", { x: image }, ["Relu", ["x"], "y"], ["n", 3, "h", "w"]],
  ["a name with a minus is one symbol", { x: f("batch-size", 4) }, ["Relu", ["x"], "y"], ["batch-size", 4]],
  [
    "3×3 of stride 2",
    { x: image, w: f(8, 3, 3, 3) },
    ["Conv", ["x", "w"], "y", { strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["n", 8, "floor((h+1)/2)", "floor((w+1)/2)"],
  ],
  [
    "1×1 of stride 2 names the same size",
    { x: image, w: f(8, 3, 1, 1) },
    ["Conv", ["x", "w"], "y", { strides: [2, 2] }],
    ["n", 8, "floor((h+1)/2)", "floor((w+1)/2)"],
  ],
  [
    "doubling",
    { x: image, s: { constant: initializerOf(float32([4], [1, 1, 2, 2])) } },
    ["Upsample", ["x", "s"], "y"],
    ["n", 3, "2·h", "2·w"],
  ],
  ["0 and -1", { x: image, s: ints(0, 3, -1) }, ["Reshape", ["x", "s"], "y"], ["n", 3, "h·w"]],
  ["-1 over the batch", { x: image, s: ints(-1) }, ["Reshape", ["x", "s"], "y"], ["3·h·n·w"]],
  ["flattening", { x: image }, ["Flatten", ["x"], "y"], ["n", "3·h·w"]],
  [
    "to the end",
    { x: image, s: ints(1), e: ints(2 ** 62), a: ints(2) },
    ["Slice", ["x", "s", "e", "a"], "y"],
    ["n", 3, "(h-1)", "w"],
  ],
  [
    "at most five",
    { x: image, s: ints(0), e: ints(5), a: ints(2) },
    ["Slice", ["x", "s", "e", "a"], "y"],
    ["n", 3, "min(h,5)", "w"],
  ],
  ["padding", { x: image, p: ints(0, 0, 1, 2, 0, 0, 1, 2) }, ["Pad", ["x", "p"], "y"], ["n", 3, "(h+2)", "(w+4)"]],
])("symbols: %s", (_, inputs, step, shape) => {
  expect(inferChain(inputs, [step]).types.get("y")?.shape).toEqual(shape);
});

describe("sizes computed by the graph", () => {
  test("through float: half the height, a quarter of the width rounded up", () => {
    const constants = { half: float(0.5), four: float(4), h: int(2), w: int(3), z: ints(0), two: ints(2) };
    const facts = inferChain({ x: image, ...constants }, [
      ["Shape", ["x"], "s"],
      ["Cast", ["s"], "real", { to: 1 }],
      ["Mul", ["real", "half"], "halves"],
      ["Floor", ["halves"], "floors"],
      ["Cast", ["floors"], "down", { to: 7 }],
      ["Div", ["real", "four"], "quarters"],
      ["Ceil", ["quarters"], "ceils"],
      ["Cast", ["ceils"], "up", { to: 7 }],
      ["Gather", ["down", "h"], "height"],
      ["Gather", ["up", "w"], "width"],
      ["Unsqueeze", ["height", "z"], "height1"],
      ["Unsqueeze", ["width", "z"], "width1"],
      ["Slice", ["s", "z", "two"], "nc"],
      ["Concat", ["nc", "height1", "width1"], "size", { axis: 0 }],
      ["Resize", ["x", "", "", "size"], "y"],
    ]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, "floor(h/2)", "floor((w+3)/4)"]);
  });

  test("scales as a ratio of sizes", () => {
    const facts = inferChain({ x: image, factor: ints(1, 1, 2, 3) }, [
      ["Shape", ["x"], "s"],
      ["Mul", ["s", "factor"], "larger"],
      ["Cast", ["larger"], "over", { to: 1 }],
      ["Cast", ["s"], "under", { to: 1 }],
      ["Div", ["over", "under"], "scales"],
      ["Resize", ["x", "", "scales"], "y"],
    ]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, "2·h", "3·w"]);
  });

  test("windows of 7 after padding to a multiple", () => {
    const constants = {
      h: int(2),
      seven: int(7),
      seven1: ints(7),
      z: ints(0),
      before: ints(0, 0, 0, 0, 0, 0),
      c: ints(3),
    };
    const facts = inferChain({ x: image, ...constants, open: ints(-1), flat: ints(-1, 49, 3) }, [
      ["Shape", ["x"], "s"],
      ["Gather", ["s", "h"], "height"],
      ["Mod", ["height", "seven"], "over"],
      ["Sub", ["seven", "over"], "missing"],
      ["Mod", ["missing", "seven"], "pad"],
      ["Unsqueeze", ["pad", "z"], "pad1"],
      ["Concat", ["before", "pad1", "z"], "pads", { axis: 0 }],
      ["Pad", ["x", "pads"], "padded"],
      ["Shape", ["padded"], "ps"],
      ["Gather", ["ps", "h"], "ph"],
      ["Div", ["ph", "seven"], "rows"],
      ["Unsqueeze", ["rows", "z"], "rows1"],
      ["Concat", ["z", "z", "rows1", "seven1", "open"], "grid", { axis: 0 }],
      ["Reshape", ["padded", "grid"], "y"],
    ]);
    expect(facts.types.get("padded")?.shape).toEqual(["n", 3, "7·floor((h+6)/7)", "w"]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, "floor((h+6)/7)", 7, "w"]);
  });

  test("expanding by a shape in which -1 means one", () => {
    const facts = inferChain(
      { x: image, token: f(1, 1, 192), z: ints(0), one: ints(1), open: ints(-1), ones: ints(1, 1, 1) },
      [
        ["Shape", ["x"], "s"],
        ["Slice", ["s", "z", "one"], "batch"],
        ["Concat", ["batch", "open", "open"], "wanted", { axis: 0 }],
        ["Equal", ["wanted", "open"], "kept"],
        ["Where", ["kept", "ones", "wanted"], "shape"],
        ["Expand", ["token", "shape"], "y"],
      ],
    );
    expect(facts.types.get("y")?.shape).toEqual(["n", 1, 192]);
  });

  test("a roll gives back the size it cut apart", () => {
    const facts = inferChain({ x: image, three: ints(3), z: ints(0), axis: ints(2), end: ints(2 ** 62) }, [
      ["Slice", ["x", "three", "end", "axis"], "tail"],
      ["Slice", ["x", "z", "three", "axis"], "head"],
      ["Concat", ["tail", "head"], "y", { axis: 2 }],
    ]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, "h", "w"]);
  });

  test("up to the size of the skip connection", () => {
    const facts = inferChain({ x: image, z: ints(0), two: ints(2), four: ints(4) }, [
      ["MaxPool", ["x"], "small", { kernel_shape: [2, 2], strides: [2, 2] }],
      ["Shape", ["x"], "xs"],
      ["Shape", ["small"], "ss"],
      ["Slice", ["ss", "z", "two"], "nc"],
      ["Slice", ["xs", "two", "four"], "hw"],
      ["Concat", ["nc", "hw"], "size", { axis: 0 }],
      ["Resize", ["small", "", "", "size"], "large"],
      ["Add", ["large", "x"], "y"],
    ]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, "h", "w"]);
  });
});

test.each<[string, Attribute, DType, number[], number[] | undefined]>([
  ["value", { type: "tensor", value: initializerOf(int64([2], [3, 4])) }, "int64", [2], [3, 4]],
  ["value_int", { type: "int", value: 5 }, "int64", [], [5]],
  ["value_ints", { type: "ints", value: [5, 6] }, "int64", [2], [5, 6]],
  ["value_float", { type: "float", value: 0.5 }, "float32", [], [0.5]],
  ["value_floats", { type: "floats", value: [0.5, 2] }, "float32", [2], [0.5, 2]],
  ["value_string", { type: "string", value: "a" }, "string", [], undefined],
  ["value_strings", { type: "strings", value: ["a", "b"] }, "string", [2], undefined],
])("Constant by its attribute %s", (name, attribute, dtype, shape, elements) => {
  const facts = inferChain({}, [["Constant", [], "y", { [name]: attribute }]]);
  expect(facts.types.get("y")).toMatchObject({ dtype, shape });
  expect(facts.elements.get("y")).toEqual(elements);
});

describe("what isn't known", () => {
  test("an operator without a rule leaves its output out, a declared type stands in", () => {
    const graph = graphOf(
      [{ opType: "Mystery", domain: "", name: "m", inputs: ["x"], outputs: ["y"], attributes: {} }],
      { x: image },
      18,
    );
    expect(inferGraph(graph).types.has("y")).toBe(false);
    graph.types.set("y", f("n", 7));
    expect(inferGraph(graph).types.get("y")).toEqual(f("n", 7));
  });

  test("contents of narrow integers, which wrap around", () => {
    const graph = emptyGraph("wrapping", new Map([["", 18]]));
    const bytes = (value: number) => ({ dtype: "uint8" as const, shape: [1], data: Uint8Array.of(value) });
    for (const name of ["a", "b"]) graph.initializers.set(name, initializerOf(bytes(200)));
    const node = { opType: "Add", domain: "", name: "add", inputs: ["a", "b"], outputs: ["c"], attributes: {} };
    const facts = inferGraph({ ...graph, nodes: [node] });
    expect(facts.types.get("c")).toEqual({ dtype: "uint8", shape: [1] });
    expect(facts.elements.get("c")).toBeUndefined();
  });

  test("Reshape by a shape fed at run time keeps the rank", () => {
    const facts = inferChain({ x: image, s: { dtype: "int64", shape: [3] } }, [["Reshape", ["x", "s"], "y"]]);
    expect(facts.types.get("y")?.shape).toEqual([null, null, null]);
  });

  test("a squeeze without axes says nothing of a symbol that might be 1", () => {
    expect(inferChain({ x: image }, [["Squeeze", ["x"], "y"]]).types.get("y")).toEqual({
      dtype: "float32",
      shape: undefined,
    });
  });
});

test("a size is compared with whole numbers only", () => {
  const half = { constant: initializerOf(float32([2], [0.5, 0])) };
  const facts = inferChain({ x: image, half, first: int(0) }, [
    ["Shape", ["x"], "shape"],
    ["Cast", ["shape"], "sizes", { to: { type: "int", value: 1 } }],
    ["Gather", ["sizes", "first"], "n"],
    ["Less", ["n", "half"], "less"],
  ]);
  expect(facts.elements.get("less")).toEqual([null, 0]);
});

describe("If", () => {
  const branch = (opType: string, reads: string, output: string): Attribute => ({
    type: "graph",
    value: {
      ...graphOf([{ opType, domain: "", name: opType, inputs: [reads], outputs: [output], attributes: {} }], {}, 18),
      outputs: [{ name: output, ...f() }],
    },
  });

  test("has what both branches agree on, and they see the values around them", () => {
    const inputs = { x: image, c: { dtype: "bool" as const, shape: [] } };
    const facts = inferChain(inputs, [
      ["If", ["c"], "y", { then_branch: branch("Relu", "x", "a"), else_branch: branch("GlobalAveragePool", "x", "b") }],
    ]);
    expect(facts.types.get("y")).toEqual(f("n", 3, null, null));
  });

  test("is the branch taken, where the condition is known", () => {
    const inputs = { x: image, c: { constant: initializerOf(bool([], [false])) } };
    const facts = inferChain(inputs, [
      ["If", ["c"], "y", { then_branch: branch("Relu", "x", "a"), else_branch: branch("GlobalAveragePool", "x", "b") }],
    ]);
    expect(facts.types.get("y")?.shape).toEqual(["n", 3, 1, 1]);
  });
});

test("a Resize whose scales are a picture, which ends ONNX Runtime's process, is refused", () => {
  const up: Node = { opType: "Resize", domain: "", name: "up", inputs: ["x", "", "x"], outputs: ["y"], attributes: {} };
  const graph: Graph = {
    ...emptyGraph("g", new Map([["", 18]])),
    inputs: [{ name: "x", dtype: "float32", shape: [1, 1, 4, 4] }],
    nodes: [up],
  };
  expect(() => inferGraph(graph)).toThrow(/node "up": input 2 has 4 axes; a list is expected/);
});

test("mirroring about less than nothing, which ends ONNX Runtime's process, is refused; constant borders are left to it", () => {
  const padded = (mode: string): Graph => ({
    ...emptyGraph("g", new Map([["", 18]])),
    inputs: [{ name: "x", dtype: "float32", shape: ["n", 6] }],
    initializers: new Map([["pads", initializerOf(int64([4], [0, -100, 0, 1]))]]),
    nodes: [
      {
        opType: "Pad",
        domain: "",
        name: "p",
        inputs: ["x", "pads"],
        outputs: ["y"],
        attributes: { mode: { type: "string", value: mode } },
      },
    ],
  });
  expect(() => inferGraph(padded("reflect"))).toThrow(/node "p": it would have size -93/);
  expect(inferGraph(padded("constant")).types.get("y")?.shape).toEqual(["n", null]);
});
