import { describe, expect, test } from "vitest";
import { IllegalGraphError } from "../errors.ts";
import { checkNodes } from "./check-nodes.ts";
import { type Attributes, emptyGraph, type Graph, type Node } from "./graph.ts";
import { signatureOf } from "./signatures/index.ts";

const i = (value: number) => ({ type: "int", value }) as const;
const f = (value: number) => ({ type: "float", value }) as const;
const ints = (...value: number[]) => ({ type: "ints", value }) as const;

/** A graph of one node; inputs and outputs by how many, or by name. */
function one(
  opType: string,
  inputs: number | readonly string[],
  attributes: Attributes = {},
  { outputs = 1, opset = 18, domain = "" } = {},
): Graph {
  const named = (count: number, prefix: string) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  const node: Node = {
    opType,
    domain,
    name: "n",
    inputs: typeof inputs === "number" ? named(inputs, "x") : inputs,
    outputs: named(outputs, "y"),
    attributes,
  };
  return {
    ...emptyGraph(
      "g",
      new Map([
        ["", opset],
        ["com.microsoft", 1],
      ]),
    ),
    nodes: [node],
  };
}

const body = (inputs: number, outputs: number): Attributes => {
  const infos = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ name: `v${at}`, dtype: "float32" as const }));
  const value = { ...emptyGraph("body", new Map([["", 18]])), inputs: infos(inputs), outputs: infos(outputs) };
  return {
    body: { type: "graph", value },
    then_branch: { type: "graph", value },
    else_branch: { type: "graph", value },
  };
};

describe("a node's form", () => {
  test.each<[string, Graph]>([
    ["an optional input absent at the end", one("Clip", 1)],
    ["an optional input absent in between", one("Clip", ["x", "", "max"])],
    ["as many as wanted", one("Concat", 9, { axis: i(-1) })],
    ["a loop without trip count and condition", one("Loop", ["", "", "state"], body(3, 2))],
    [
      "opset 8's Scan, lengths first",
      one("Scan", ["", "state", "x"], { ...body(2, 1), num_scan_inputs: i(1) }, { opset: 8 }),
    ],
    ["1 where 1.0 is meant", one("LeakyRelu", 1, { alpha: i(1) })],
    ["1.0 where 1 is meant", one("Softmax", 1, { axis: f(-1) })],
    ["an operator that nobody's schema knows", one("Unheard", 0, { kernel: i(0) }, { domain: "some.where" })],
    ["an attribute that the schema doesn't know", one("Relu", 1, { alpha: ints(1) })],
    ["axes as an attribute, in its time", one("Squeeze", 1, { axes: ints(0) }, { opset: 11 })],
    [
      "a fused operator",
      one("FusedConv", 4, { activation: { type: "string", value: "Relu" } }, { domain: "com.microsoft" }),
    ],
  ])("right: %s", (_, graph) => expect(() => checkNodes(graph)).not.toThrow());

  test.each<[string, Graph, RegExp]>([
    ["too few inputs", one("Conv", 1), /Conv "n" lacks input 1; 2 to 3 are expected/],
    ["a needed input absent", one("Gemm", ["", "b", "c"]), /Gemm "n" lacks input 0/],
    ["too many inputs", one("Relu", 2), /Relu "n" has 2 inputs; 1 are expected/],
    [
      "a gap among as many as wanted",
      one("Concat", ["a", "", "b"], { axis: i(0) }),
      /Concat "n" lacks input 1; 1 or more/,
    ],
    ["a gap in a loop's state", one("Loop", ["", "", ""], body(3, 2)), /Loop "n" lacks input 2/],
    ["no output", one("Relu", 1, {}, { outputs: 0 }), /has 0 outputs; 1 are expected/],
    ["too many outputs", one("Relu", 1, {}, { outputs: 2 }), /has 2 outputs/],
    ["a needed attribute absent", one("Concat", 2), /lacks the attribute "axis"; a int/],
    ["an attribute of another type", one("Softmax", 1, { axis: ints(1) }), /has the attribute "axis" as ints; int is/],
    ["half an axis", one("Softmax", 1, { axis: f(0.5) }), /has the attribute "axis" as float/],
    ["no window", one("Conv", 2, { strides: ints(0, 1) }), /has strides = 0, 1; at least 1/],
    ["no group", one("Conv", 2, { group: i(0) }), /has group = 0/],
    ["batch axes before the first", one("GatherND", 2, { batch_dims: i(-1) }), /has batch_dims = -1; at least 0/],
    ["an axis twice", one("Transpose", 1, { perm: ints(0, 0) }), /has perm = 0, 0; each axis once/],
    ["a word of JavaScript's", one("constructor", 1), /has no operator's name/],
    ["a branch that gives less", one("If", 1, body(0, 1), { outputs: 2 }), /has a then_branch with 1 outputs; 2 are/],
    ["a body that takes less", one("Loop", 3, body(2, 2)), /has a body with 2 inputs; 3 are expected/],
    ["a body that gives more", one("Loop", 3, body(3, 4)), /has a body with 4 outputs; 2 are expected/],
    ["no block", one("MatMulNBits", 3, { K: i(4), N: i(4), bits: i(4) }, { domain: "com.microsoft" }), /"block_size"/],
    [
      "more sequences than inputs",
      one("Scan", 2, { ...body(2, 1), num_scan_inputs: i(-(2 ** 31)) }),
      /Scan "n" has num_scan_inputs = -2147483648; 1 to 2 are expected/,
    ],
    [
      "a direction for each of 100,000 sequences",
      one("Scan", 2, { ...body(2, 1), num_scan_inputs: i(1), scan_input_directions: ints(...Array(1e5).fill(1)) }),
      /Scan "n" has 100000 scan_input_directions; 1 are expected/,
    ],
    [
      "fewer outputs than states",
      one("Scan", 4, { ...body(4, 1), num_scan_inputs: i(1) }),
      /Scan "n" has 1 outputs; at least 3 are expected/,
    ],
    [
      "other parts than outputs",
      one("Split", 1, { axis: i(0), num_outputs: i(2 ** 40) }),
      /Split "n" has 1 outputs; num_outputs = 1099511627776 are expected/,
    ],
  ])("wrong: %s", (_, graph, message) => {
    expect(() => checkNodes(graph)).toThrow(IllegalGraphError);
    expect(() => checkNodes(graph)).toThrow(message);
  });

  test("sub-graphs are looked into", () => {
    const inner = one("Conv", 1);
    const graph = one("If", 1, {
      then_branch: { type: "graph", value: { ...inner, outputs: [{ name: "y0", dtype: "float32" }] } },
      else_branch: { type: "graph", value: { ...one("Relu", 1), outputs: [{ name: "y0", dtype: "float32" }] } },
    });
    expect(() => checkNodes(graph)).toThrow(/Conv "n" lacks input 1/);
  });
});

describe("signatures", () => {
  test("change with the opset, and hold until the next one changes them", () => {
    const pads = (opset: number) => signatureOf("", "Pad", opset)!;
    expect(pads(10).attributes.find(({ name }) => name === "pads")).toMatchObject({ type: "ints", required: true });
    expect([pads(10), pads(11), pads(17), pads(18), pads(99)].map(({ inputs }) => [inputs.least, inputs.most])).toEqual(
      [
        [1, 1],
        [2, 3],
        [2, 3],
        [2, 4],
        [2, 4],
      ],
    );
  });

  test("unknown operators, and those that come later, have none", () => {
    expect(signatureOf("", "Gelu", 19)).toBeUndefined();
    expect(signatureOf("", "Gelu", 20)).toBeDefined();
    expect(signatureOf("", "Tensor", 20)).toBeUndefined();
    expect(signatureOf("com.microsoft", "Relu", 1)).toBeUndefined();
  });

  test("types that no node of ours can hold are left out", () => {
    expect(signatureOf("", "Optional", 15)!.attributes).toEqual([]);
  });
});
