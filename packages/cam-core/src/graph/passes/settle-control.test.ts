import { describe, expect, test } from "vitest";
import { gradient } from "../../autodiff/gradient.ts";
import { withSession } from "../../runtime/session.ts";
import { bool, float32, int64, numbersIn, type Tensor } from "../../tensor.ts";
import { Builder } from "../builder.ts";
import { checkGraph } from "../check.ts";
import { type Attribute, copyGraph, emptyGraph, type Graph, initializerOf, type Node } from "../graph.ts";
import { settleControl } from "./settle-control.ts";

const node = (
  opType: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, Attribute> = {},
): Node => ({
  opType,
  domain: "",
  name: `${opType}_${outputs[0]}`,
  inputs,
  outputs,
  attributes,
});
const int = (value: number): Attribute => ({ type: "int", value });

function graphOf(
  nodes: Node[],
  constants: Record<string, Tensor>,
  inputs: Graph["inputs"],
  outputs: Graph["outputs"],
): Graph {
  const graph = emptyGraph("g", new Map([["", 18]]));
  return {
    ...graph,
    nodes,
    inputs,
    outputs,
    // Sequences, which have no shape here, stay undeclared.
    types: new Map([...inputs, ...outputs].filter(({ shape }) => shape).map((info) => [info.name, info])),
    initializers: new Map(Object.entries(constants).map(([name, tensor]) => [name, initializerOf(tensor)])),
  };
}

const real = (name: string, shape?: number[]) => ({ name, dtype: "float32" as const, ...(shape ? { shape } : {}) });
const x = [real("x", [2, 4])];
const fed = float32([2, 4], [0.5, -1, 2, 0.1, -0.3, 1.5, -2, 0.7]);

/** The graph settled; computes what it did, and has a gradient that finite differences confirm. */
async function settles(graph: Graph): Promise<string[]> {
  const copy = copyGraph(graph);
  const op = new Builder(copy);
  expect(settleControl(op, new Set(copy.nodes))).toBe(true);
  checkGraph(copy);
  const run = async (g: Graph, feed: Tensor) =>
    numbersIn((await withSession(g, { optimize: "disabled" }, (session) => session.run({ x: feed }))).y!);
  const types = copy.nodes.map(({ opType }) => opType);
  const before = await run(graph, fed);
  expect(await run(copy, fed)).toEqual(before);

  const again = new Builder(copy);
  const [dx] = gradient(again, new Map([["y", again.fillLike("y", 1)]]), ["x"]);
  const backward = { ...copy, outputs: [real(dx!)] };
  const found = numbersIn((await withSession(backward, {}, (session) => session.run({ x: fed })))[dx!]!);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  for (const i of [0, 3, 6]) {
    const at = async (h: number) =>
      sum(
        await run(
          graph,
          float32(
            [2, 4],
            numbersIn(fed).map((v, k) => (k === i ? v + h : v)),
          ),
        ),
      );
    expect(Math.abs(found[i]! - ((await at(0.01)) - (await at(-0.01))) / 0.02)).toBeLessThan(2e-3);
  }
  return types;
}

describe("If", () => {
  const branches: Record<string, Attribute> = {
    then_branch: { type: "graph", value: graphOf([node("Exp", ["x"], ["e"])], {}, [], [real("e", [2, 4])]) },
    else_branch: {
      type: "graph",
      value: graphOf([node("Mul", ["x", "two"], ["m"])], { two: float32([], [2]) }, [], [real("m", [2, 4])]),
    },
  };
  test.each([true, false])("its branch, where the condition is a constant (%s)", async (condition) => {
    const types = await settles(
      graphOf([node("If", ["c"], ["y"], branches)], { c: bool([], [condition]) }, x, [real("y")]),
    );
    expect(types).toEqual([condition ? "Exp" : "Mul"]);
  });

  test("its branch, where the condition follows from sizes", async () => {
    const nodes = [
      node("Size", ["x"], ["n"]),
      node("Greater", ["n", "seven"], ["c"]),
      node("If", ["c"], ["y"], branches),
    ];
    expect(await settles(graphOf(nodes, { seven: int64([], [7]) }, x, [real("y")]))).toContain("Exp");
  });

  test("stays, where the condition is known in the run only", () => {
    const nodes = [
      node("ReduceSum", ["x"], ["s"], { keepdims: int(0) }),
      node("Greater", ["s", "zero"], ["c"]),
      node("If", ["c"], ["y"], branches),
    ];
    const graph = graphOf(nodes, { zero: float32([], [0]) }, x, [real("y")]);
    expect(settleControl(new Builder(graph), new Set(graph.nodes))).toBe(false);
    expect(graph.nodes.map(({ opType }) => opType)).toContain("If");
  });
});

describe("Loop", () => {
  /** v = tanh(v · w + round), and v itself as a scan output. */
  const body = (condition: Node[], constants: Record<string, Tensor> = {}) =>
    graphOf(
      [
        node("Cast", ["i"], ["real"], { to: int(1) }),
        node("Mul", ["v", "w"], ["scaled"]),
        node("Add", ["scaled", "real"], ["sum"]),
        node("Tanh", ["sum"], ["next"]),
        node("Identity", ["next"], ["kept"]),
        ...condition,
      ],
      { w: float32([], [0.7]), ...constants },
      [{ name: "i", dtype: "int64", shape: [] }, { name: "go", dtype: "bool", shape: [] }, real("v", [2, 4])],
      [{ name: "on", dtype: "bool", shape: [] }, real("next", [2, 4]), real("kept", [2, 4])],
    );
  const after = (loop: Node) => [
    loop,
    node("ReduceSum", ["all", "first"], ["total"], { keepdims: int(0) }),
    node("Add", ["last", "total"], ["y"]),
  ];
  const first = { first: int64([1], [0]) };

  test("as many copies as rounds", async () => {
    const value = body([node("Identity", ["go"], ["on"])]);
    const nodes = after(node("Loop", ["n", "", "x"], ["last", "all"], { body: { type: "graph", value } }));
    const types = await settles(graphOf(nodes, { n: int64([], [3]), ...first }, x, [real("y")]));
    expect(types.filter((type) => type === "Tanh")).toHaveLength(3);
  });

  test("until a condition computed from the round ends it", async () => {
    const value = body([node("Less", ["i", "limit"], ["on"])], { limit: int64([], [1]) });
    const nodes = after(node("Loop", ["n", "c", "x"], ["last", "all"], { body: { type: "graph", value } }));
    const types = await settles(graphOf(nodes, { n: int64([], [99]), c: bool([], [true]), ...first }, x, [real("y")]));
    expect(types.filter((type) => type === "Tanh")).toHaveLength(2);
  });

  test("stays, where its rounds are known in the run only, or too many", () => {
    const value = body([node("Identity", ["go"], ["on"])]);
    const loop = () => after(node("Loop", ["n", "", "x"], ["last", "all"], { body: { type: "graph", value } }));
    const many = graphOf(loop(), { n: int64([], [10_000]), ...first }, x, [real("y")]);
    expect(settleControl(new Builder(many), new Set(many.nodes))).toBe(false);
    const open = graphOf(loop(), first, [...x, { name: "n", dtype: "int64", shape: [] }], [real("y")]);
    expect(settleControl(new Builder(open), new Set(open.nodes))).toBe(false);
  });

  test("sequences that a loop collects", async () => {
    const value = graphOf(
      [
        node("Add", ["x", "x"], ["double"]),
        node("Mul", ["double", "double"], ["square"]),
        node("SequenceInsert", ["list", "square"], ["longer"]),
        node("Identity", ["go"], ["on"]),
      ],
      {},
      [{ name: "i", dtype: "int64", shape: [] }, { name: "go", dtype: "bool", shape: [] }, real("list")],
      [{ name: "on", dtype: "bool", shape: [] }, real("longer")],
    );
    const nodes = [
      node("SequenceEmpty", [], ["none"]),
      node("Loop", ["n", "", "none"], ["list"], { body: { type: "graph", value } }),
      node("SequenceAt", ["list", "place"], ["one"]),
      node("SequenceAt", ["list", "last"], ["other"]),
      node("Sub", ["one", "other"], ["none2"]),
      node("Add", ["none2", "one"], ["y"]),
    ];
    const graph = graphOf(nodes, { n: int64([], [2]), place: int64([], [0]), last: int64([], [-1]) }, x, [real("y")]);
    const copy = copyGraph(graph);
    const op = new Builder(copy);
    expect(settleControl(op, new Set(copy.nodes))).toBe(true);
    const run = (g: Graph) => withSession(g, {}, (session) => session.run({ x: fed }));
    expect(numbersIn((await run(copy)).y!)).toEqual(numbersIn(fed).map((v) => Math.fround(Math.fround(2 * v) ** 2)));
    expect(copy.nodes.map(({ opType }) => opType)).not.toContain("SequenceAt");
  });
});

describe("sequences", () => {
  test.each([
    ["single entries", node("SplitToSequence", ["x"], ["s"], { axis: int(1), keepdims: int(0) }), 1],
    ["parts of one size", node("SplitToSequence", ["x", "three"], ["s"], { axis: int(1) }), 0],
    ["listed parts", node("SplitToSequence", ["x", "parts"], ["s"], { axis: int(-1) }), 0],
  ])("split into %s, turned round and joined", async (_, split, isNew) => {
    const nodes = [
      split,
      node("SequenceAt", ["s", "zero"], ["head"]),
      node("SequenceErase", ["s", "zero"], ["rest"]),
      node("SequenceInsert", ["rest", "head"], ["turned"]),
      node("ConcatFromSequence", ["turned"], ["joined"], { axis: int(1), new_axis: int(isNew) }),
      node("Sin", ["joined"], ["y"]),
    ];
    const constants = { zero: int64([], [0]), three: int64([], [3]), parts: int64([2], [1, 3]) };
    const types = await settles(graphOf(nodes, constants, x, [real("y")]));
    expect(types).not.toContain("ConcatFromSequence");
  });

  test("their length", async () => {
    const nodes = [
      node("SequenceConstruct", ["x", "x", "x"], ["s"]),
      node("SequenceLength", ["s"], ["n"]),
      node("Cast", ["n"], ["real"], { to: int(1) }),
      node("Mul", ["x", "real"], ["y"]),
    ];
    expect(await settles(graphOf(nodes, {}, x, [real("y")]))).not.toContain("SequenceLength");
  });
});
