import { expect, test } from "vitest";
import { bool, float32, int64, type Tensor } from "../tensor.ts";
import { checkConstants } from "./check-constants.ts";
import { checkLoops } from "./check-loops.ts";
import { emptyGraph, type Graph, initializerOf, type Node } from "./graph.ts";

const opsets = new Map([["", 18]]);
const node = (opType: string, inputs: string[], outputs: string[], attributes: Node["attributes"] = {}): Node => ({
  opType,
  domain: "",
  name: opType,
  inputs,
  outputs,
  attributes,
});

function graph(nodes: Node[], constants: Readonly<Record<string, Tensor>>): Graph {
  const initializers = new Map(Object.entries(constants).map(([name, tensor]) => [name, initializerOf(tensor)]));
  return { ...emptyGraph("g", opsets), nodes, initializers };
}

test.each<[string, Graph, RegExp]>([
  [
    "a position that isn't there",
    graph([node("SequenceAt", ["s", "at"], ["y"])], { at: int64([0], []) }),
    /input 1 and is given \[0\]/,
  ],
  [
    "two depths",
    graph([node("OneHot", ["x", "d", "v"], ["y"])], { d: int64([2], [1, 2]) }),
    /OneHot "OneHot" takes one number/,
  ],
  [
    "a factor of 0",
    graph([node("Resize", ["x", "", "s"], ["y"])], { s: float32([2], [1, 0]) }),
    /scales by 1, 0; positive/,
  ],
  ["no number", graph([node("Resize", ["x", "", "s"], ["y"])], { s: float32([1], [Number.NaN]) }), /scales by NaN/],
  ["infinity", graph([node("Resize", ["x", "", "s"], ["y"])], { s: float32([1], [Infinity]) }), /scales by Infinity/],
])("a constant that the runtime would trip over: %s", (_, given, message) => {
  expect(() => checkConstants(given)).toThrow(message);
});

test("one number in whatever shape, factors above 0, and what is computed, pass", () => {
  const nodes = [
    node("SequenceAt", ["s", "at"], ["y"]),
    node("Resize", ["x", "", "f"], ["z"]),
    node("TopK", ["x", "k"], ["w"]),
  ];
  expect(() => checkConstants(graph(nodes, { at: int64([1, 1], [0]), f: float32([1], [0.5]) }))).not.toThrow();
});

test("a sub-graph's constants may lie around it", () => {
  const inner = graph([node("SequenceAt", ["s", "at"], ["y"])], {});
  const outer = graph([node("If", ["c"], ["y"], { then_branch: { type: "graph", value: inner } })], {
    at: int64([0], []),
  });
  expect(() => checkConstants(outer)).toThrow(/SequenceAt/);
});

/** A loop: its trip count, and what its body computes the next condition with. */
function loop(trips: string, condition: Node): Graph {
  const named = (...names: string[]) => names.map((name) => ({ name, dtype: "float32" as const }));
  const body: Graph = {
    ...graph([condition, node("Neg", ["state"], ["next"])], {}),
    inputs: named("i", "go", "state"),
    outputs: named("goOn", "next"),
  };
  return graph([node("Loop", [trips, "true", "x"], ["y"], { body: { type: "graph", value: body } })], {
    many: int64([], [2n ** 40n]),
    million: int64([], [1_000_000]),
    true: bool([], [true]),
  });
}

test("a loop that nothing in it can end is refused when it is long", () => {
  const never = node("Identity", ["go"], ["goOn"]);
  expect(() => checkLoops(loop("many", never))).toThrow(/Loop "Loop" runs 1099511627776 times/);
  expect(() => checkLoops(loop("", never))).toThrow(/runs for ever/);
  expect(() => checkLoops(loop("many", node("And", ["true", "go"], ["goOn"])))).toThrow(/1099511627776/);
  expect(() => checkLoops(loop("million", never))).not.toThrow();
  expect(() => checkLoops(loop("computed", never))).not.toThrow();
});

test("a loop whose condition looks at the round or at its state may say any trip count", () => {
  expect(() => checkLoops(loop("", node("Less", ["i", "million"], ["goOn"])))).not.toThrow();
  expect(() => checkLoops(loop("many", node("Greater", ["next", "x"], ["goOn"])))).not.toThrow();
});

test("loops in branches are looked at", () => {
  const inner = loop("", node("Identity", ["go"], ["goOn"]));
  const outer = graph([node("If", ["c"], ["y"], { then_branch: { type: "graph", value: inner } })], {});
  expect(() => checkLoops(outer)).toThrow(/for ever/);
});
