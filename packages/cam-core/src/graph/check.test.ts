import { describe, expect, test } from "vitest";
import { IllegalGraphError } from "../errors.ts";
import { float32 } from "../tensor.ts";
import { checkGraph } from "./check.ts";
import { type Graph, initializerOf, type Node } from "./graph.ts";
import { liftConstants } from "./passes/lift-constants.ts";
import { pruneUnused } from "./passes/prune-unused.ts";

const node = (name: string, inputs: string[], outputs: string[], more: Partial<Node> = {}): Node => ({
  opType: "Op",
  domain: "",
  name,
  inputs,
  outputs,
  attributes: {},
  ...more,
});

function graph(nodes: Node[], outputs: readonly string[] = ["y"], weights: readonly string[] = ["w"]): Graph {
  return {
    name: "g",
    opsets: new Map([["", 18]]),
    inputs: [{ name: "x", dtype: "float32" }],
    outputs: outputs.map((name) => ({ name, dtype: "float32" })),
    nodes,
    initializers: new Map(weights.map((name) => [name, initializerOf(float32([1], [1]))])),
    types: new Map(),
    metadata: new Map(),
  };
}

/** A node whose branch reads a name of the graph around it. */
const capturing = (name: string, reads: string, outputs: string[]) =>
  node(name, ["x"], outputs, {
    attributes: {
      body: { type: "graph", value: { ...graph([node("inner", [reads, "own"], ["z"])], ["z"], ["own"]), inputs: [] } },
    },
  });

describe("legality", () => {
  test("legal: nodes out of order, optional inputs and outputs absent, an input or a weight as output", () => {
    const nodes = [node("b", ["a", "", "w"], ["", "y"]), node("a", ["x"], ["a", ""])];
    expect(() => checkGraph(graph(nodes, ["y", "x", "w"]))).not.toThrow();
    expect(() => checkGraph(graph([capturing("c", "h", ["y"]), node("a", ["x"], ["h"])]))).not.toThrow();
  });

  test.each([
    [
      "made by two nodes",
      [node("a", ["x"], ["y"]), node("b", ["x"], ["y"])],
      /"y" is made twice: by Op "a" and by Op "b"/,
    ],
    [
      "an input made again",
      [node("a", ["w"], ["x"]), node("b", ["x"], ["y"])],
      /"x" is made twice: by an input and by Op "a"/,
    ],
    ["a weight made again", [node("a", ["x"], ["w"]), node("b", ["x"], ["y"])], /"w" is made twice: by an initializer/],
    ["twice among one node's outputs", [node("a", ["x"], ["y", "y"])], /"y" is made twice/],
    ["read and never made", [node("a", ["x", "ghost"], ["y"])], /Op "a" reads "ghost", which nothing makes/],
    ["captured and never made", [capturing("c", "ghost", ["y"])], /Op "inner" reads "ghost"/],
    ["an output never made", [node("a", ["x"], ["z"])], /output "y" is made by nothing/],
    ["a node that reads itself", [node("a", ["y"], ["y"])], /form a cycle/],
    [
      "a ring of three",
      [node("a", ["c"], ["b"]), node("b", ["b"], ["c0"]), node("c", ["c0"], ["c"]), node("d", ["c"], ["y"])],
      /form a cycle/,
    ],
    ["a ring through a branch", [capturing("c", "h", ["y"]), node("a", ["y"], ["h"])], /form a cycle/],
  ])("illegal: %s", (_, nodes, message) => {
    expect(() => checkGraph(graph(nodes))).toThrow(IllegalGraphError);
    expect(() => checkGraph(graph(nodes))).toThrow(message);
  });
});

describe("prune-unused", () => {
  test("drops what no output needs and orders the rest", () => {
    const nodes = [
      node("last", ["b", "w"], ["y"]),
      node("dead", ["b"], ["d"]),
      node("dead too", ["d", "unused"], ["e"]),
      node("first", ["x"], ["b"]),
    ];
    const pruned = graph(nodes, ["y"], ["w", "unused"]);
    pruneUnused(pruned);
    expect(pruned.nodes.map(({ name }) => name)).toEqual(["first", "last"]);
    expect([...pruned.initializers.keys()]).toEqual(["w"]);
    expect(pruned.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  test("keeps what only a branch reads, and a node for its second output", () => {
    const nodes = [node("a", ["x", "w"], ["unread", "h"]), capturing("c", "h", ["y"])];
    const pruned = graph(nodes);
    pruneUnused(pruned);
    expect(pruned.nodes).toEqual(nodes);
    expect([...pruned.initializers.keys()]).toEqual(["w"]);
  });
});

describe("lift-constants", () => {
  const constant = (name: string) =>
    node(name, [], [name], {
      opType: "Constant",
      attributes: { value: { type: "tensor", value: initializerOf(float32([1], [7])) } },
    });

  test("Constant nodes and copies of weights become initializers; copies that are outputs stay", () => {
    const lifted = graph(
      [
        constant("k"),
        node("copy", ["k"], ["k2"], { opType: "Identity" }),
        node("kept", ["w"], ["w2"], { opType: "Identity" }),
        node("of x", ["x"], ["x2"], { opType: "Identity" }),
        node("a", ["x2", "k2"], ["y"]),
      ],
      ["y", "w2"],
    );
    liftConstants(lifted);
    expect(lifted.nodes.map(({ name }) => name)).toEqual(["kept", "of x", "a"]);
    for (const name of ["k", "k2"]) expect([...lifted.initializers.get(name)!.bytes]).toEqual([0, 0, 224, 64]); // 7 as float32
    expect(() => checkGraph(lifted)).not.toThrow();
  });

  test("another domain's Constant is none of ours", () => {
    const foreign = graph([{ ...constant("k"), domain: "com.acme" }, node("a", ["k"], ["y"])]);
    liftConstants(foreign);
    expect(foreign.nodes.length).toBe(2);
  });
});
