import { describe, expect, test } from "vitest";
import type { Sample } from "../../autodiff/rule.ts";
import { CamError } from "../../errors.ts";
import { withSession } from "../../runtime/session.ts";
import { bool, float32, int64, type Tensor } from "../../tensor.ts";
import { oneNode } from "../../testing/one-node.ts";
import { rng } from "../../testing/rng.ts";
import { checkGraph } from "../check.ts";
import { copyGraph, type Graph, initializerOf, type Node } from "../graph.ts";
import { canonicalOpset, upgradeGraph } from "./index.ts";

const random = rng(5);
const x4 = random.normal([2, 3, 4, 5]);
const x3 = random.normal([2, 3, 4]);
const f = (value: number) => ({ float: value });

/** Operator, what the case shows, opsets in which it means the same, and the node. */
const cases: readonly (readonly [string, string, readonly number[], Sample])[] = [
  ["Softmax", "flattens from axis 1 by default", [7, 11, 12], { inputs: [x4] }],
  ["Softmax", "flattens from axis 2", [7, 12], { inputs: [x4], attributes: { axis: 2 } }],
  ["Softmax", "over the last axis", [8, 12], { inputs: [x4], attributes: { axis: 3 } }],
  ["Softmax", "flattens from axis 0", [9], { inputs: [x4], attributes: { axis: 0 } }],
  ["Softmax", "counts the axis from behind", [11, 12], { inputs: [x4], attributes: { axis: -2 } }],
  ["LogSoftmax", "flattens", [7, 12], { inputs: [x4], attributes: { axis: 1 } }],
  ["Hardmax", "flattens", [7, 12], { inputs: [x4], attributes: { axis: 2 } }],
  ["Softmax", "new meaning, untouched", [13, 17], { inputs: [x4], attributes: { axis: 1 } }],
  ["Squeeze", "axes", [7, 11], { inputs: [random.normal([1, 3, 1, 2])], attributes: { axes: [2] } }],
  ["Squeeze", "every axis of 1", [7, 12], { inputs: [random.normal([1, 3, 1, 2])] }],
  ["Squeeze", "axes from behind", [11, 12], { inputs: [random.normal([1, 3, 1, 2])], attributes: { axes: [-2] } }],
  ["Unsqueeze", "axes", [7, 12], { inputs: [x3], attributes: { axes: [0, 2] } }],
  ["Clip", "both bounds", [7, 10], { inputs: [x3], attributes: { min: f(-0.5), max: f(0.25) } }],
  ["Clip", "one bound", [7, 10], { inputs: [x3], attributes: { max: f(0.25) } }],
  ["Clip", "no bound", [7], { inputs: [x3] }],
  ["Pad", "constant", [7, 10], { inputs: [x3], attributes: { pads: [0, 1, 0, 1, 0, 2], value: f(1.5) } }],
  ["Pad", "reflect", [7, 10], { inputs: [x3], attributes: { pads: [0, 0, 1, 0, 0, 2], mode: "reflect" } }],
  ["Pad", "edge", [7, 10], { inputs: [x3], attributes: { pads: [0, 0, 1, 0, 0, 2], mode: "edge" } }],
  ["Pad", "negative: a crop", [7, 10], { inputs: [x3], attributes: { pads: [0, -1, 0, 0, 0, -2] } }],
  ["Slice", "axes", [7, 9], { inputs: [x3], attributes: { axes: [1, 2], starts: [1, -3], ends: [3, -1] } }],
  ["Slice", "no axes", [7, 9], { inputs: [x3], attributes: { starts: [0, 1], ends: [1, 3] } }],
  [
    "Slice",
    "to the end",
    [7, 9],
    { inputs: [x3], attributes: { axes: [2], starts: [1], ends: [Number.MAX_SAFE_INTEGER] } },
  ],
  ["TopK", "k as attribute", [7, 9], { inputs: [random.distinct([3, 5])], attributes: { k: 2 }, outputs: 2 }],
  ["TopK", "along axis 0", [9], { inputs: [random.distinct([3, 5])], attributes: { k: 2, axis: 0 }, outputs: 2 }],
  ["TopK", "k as input", [10, 11], { inputs: [random.distinct([3, 5]), int64([1], [2])], outputs: 2 }],
  ["Split", "sizes", [7, 11, 12], { inputs: [x4], attributes: { axis: 3, split: [1, 4] }, outputs: 2 }],
  ["Split", "equal parts", [7, 11, 12], { inputs: [x4], attributes: { axis: 2 }, outputs: 2 }],
  ["Split", "axis from behind", [11, 12], { inputs: [x4], attributes: { axis: -2 }, outputs: 4 }],
  ["Split", "equal parts, sizes are an input", [13, 17], { inputs: [x4], attributes: { axis: 1 }, outputs: 3 }],
  ["Split", "sizes as input", [13, 17], { inputs: [x4, int64([2], [2, 3])], attributes: { axis: 3 }, outputs: 2 }],
  ...["Sum", "Mean", "Max", "Min", "L1", "L2", "SumSquare"].flatMap((kind) => [
    [`Reduce${kind}`, "axes", [7, 11, 12], { inputs: [x4], attributes: { axes: [1, 3], keepdims: 0 } }] as const,
    [`Reduce${kind}`, "all", [7, 12, 13, 17], { inputs: [x4] }] as const,
  ]),
  ...["Mean", "Max", "Prod", "LogSumExp"].map(
    (kind) =>
      [`Reduce${kind}`, "axes from behind", [11, 13, 17], { inputs: [x4], attributes: { axes: [-1] } }] as const,
  ),
  ["ReduceLogSum", "axes", [11, 17], { inputs: [random.uniform(1, 2, [2, 3])], attributes: { axes: [1] } }],
  ["ReduceSum", "axes as input", [13, 17], { inputs: [x4, int64([2], [1, 2])], attributes: { keepdims: 0 } }],
  ["ReduceSum", "of no axes", [13, 17], { inputs: [x4], attributes: { noop_with_empty_axes: 1 } }],
  ["Dropout", "one output", [7, 10, 11], { inputs: [x3], attributes: { ratio: f(0.4) } }],
  [
    "BatchNormalization",
    "with momentum",
    [7, 9, 13],
    {
      inputs: [x4, random.normal([3]), random.normal([3]), random.normal([3]), random.uniform(0.5, 2, [3])],
      attributes: { epsilon: f(0.01), momentum: f(0.7) },
      constants: [1, 2, 3, 4],
    },
  ],
  [
    "Scatter",
    "rows",
    [9, 10],
    { inputs: [x3, int64([1, 2, 4], [0, 1, 2, 0, 2, 0, 1, 1]), random.normal([1, 2, 4])], attributes: { axis: 1 } },
  ],
  ["Upsample", "nearest, attribute", [7, 8], { inputs: [x4], attributes: { scales: { floats: [1, 1, 2, 3] } } }],
  [
    "Upsample",
    "linear, attribute",
    [7, 8],
    { inputs: [x4], attributes: { scales: { floats: [1, 1, 2, 2.5] }, mode: "linear" } },
  ],
  ["Upsample", "nearest, input", [9], { inputs: [x4, float32([4], [1, 1, 2, 1.5])], constants: [1] }],
  [
    "Upsample",
    "linear, input",
    [9],
    { inputs: [x4, float32([4], [1, 1, 2, 2])], constants: [1], attributes: { mode: "linear" } },
  ],
  ["Resize", "nearest", [10], { inputs: [x4, float32([4], [1, 1, 2, 1.6])], constants: [1] }],
  ["Resize", "nearest, smaller", [10], { inputs: [x4, float32([4], [1, 1, 0.5, 0.6])], constants: [1] }],
  ["Resize", "nearest, both ways", [10], { inputs: [x4, float32([4], [1, 1, 0.75, 1.4])], constants: [1] }],
  [
    "Resize",
    "linear",
    [10],
    { inputs: [x4, float32([4], [1, 1, 2, 1.6])], constants: [1], attributes: { mode: "linear" } },
  ],
  ["Resize", "nearest, by scales that only the run knows", [10], { inputs: [x4, float32([4], [1, 1, 0.75, 1.4])] }],
  [
    "Resize",
    "sizes beside empty scales",
    [11, 12],
    {
      inputs: [x4, float32([0], []), float32([0], []), int64([4], [2, 3, 7, 3])],
      constants: [1, 2],
      attributes: { mode: "linear" },
    },
  ],
  [
    "RoiAlign",
    "not yet moved by half a pixel",
    [10, 15],
    {
      inputs: [x4, float32([2, 4], [0, 0, 3, 2, 1, 1, 4, 3]), int64([2], [1, 0])],
      attributes: { output_height: 2, output_width: 3, sampling_ratio: 2, spatial_scale: { float: 0.75 } },
    },
  ],
  ["DynamicSlice", "axes", [9], { inputs: [x3, int64([2], [1, -3]), int64([2], [3, -1]), int64([2], [1, 2])] }],
  [
    "Resize",
    "linear, smaller",
    [10],
    { inputs: [x4, float32([4], [1, 1, 0.5, 0.6])], constants: [1], attributes: { mode: "linear" } },
  ],
];

function old(opType: string, opset: number, sample: Sample): { graph: Graph; feeds: Record<string, Tensor> } {
  const graph = oneNode(opType, { ...sample, opset });
  const dtype = (i: number) => (opType === "TopK" && i === 1 ? "int64" : "float32") as "float32";
  graph.outputs = graph.nodes[0]!.outputs.map((name, i) => ({ name, dtype: dtype(i) }));
  return {
    graph,
    feeds: Object.fromEntries(graph.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!])),
  };
}

async function compare(graph: Graph, feeds: Record<string, Tensor>, what: string) {
  const options = { optimize: "disabled" } as const;
  const upgraded = copyGraph(graph);
  const before = await withSession(graph, options, (session) => session.run(feeds));
  upgradeGraph(upgraded);
  checkGraph(upgraded);
  expect(upgraded.opsets.get("")).toBe(canonicalOpset);
  const after = await withSession(upgraded, options, (session) => session.run(feeds));
  for (const { name } of graph.outputs) {
    expect(after[name]!.shape, what).toEqual(before[name]!.shape);
    for (const [i, value] of [...(before[name]!.data as Float32Array)].entries())
      expect(Math.abs(Number(after[name]!.data[i]) - Number(value)), `${what}, ${name}[${i}]`).toBeLessThan(1e-6);
  }
}

describe("the same numbers before and after", () => {
  test.each(cases)("%s: %s", async (opType, _, opsets, sample) => {
    for (const opset of opsets) {
      const { graph, feeds } = old(opType, opset, sample);
      await compare(graph, feeds, `opset ${opset}`);
      // The same again with open dimensions.
      const open = {
        ...graph,
        inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape!.map((_, i) => `d${i}`) })),
      };
      if (opType !== "Squeeze" || sample.attributes) await compare(open, feeds, `opset ${opset}, open`);
    }
  });
});

const node = (opType: string, inputs: string[], outputs: string[], attributes: Node["attributes"] = {}): Node => ({
  opType,
  domain: "",
  name: `${opType} ${outputs[0]}`,
  inputs,
  outputs,
  attributes,
});

function graphOf(nodes: Node[], inputs: Graph["inputs"], outputs: readonly string[], opset = 9): Graph {
  return {
    name: "old",
    opsets: new Map([["", opset]]),
    inputs,
    outputs: outputs.map((name) => ({ name, dtype: "float32" })),
    nodes,
    initializers: new Map(),
    types: new Map(),
    metadata: new Map(),
  };
}

const x: Graph["inputs"][number] = { name: "x", dtype: "float32", shape: [2, 3, 4] };

describe("around the node", () => {
  test.each([7, 9, 10, 11])("opset %i: Dropout with a mask that nobody reads, or somebody", async (opset) => {
    const mask = node("Dropout", ["x"], ["y", "mask"], { ratio: { type: "float", value: 0.5 } });
    await compare(graphOf([mask], [x], ["y"], opset), { x: x3 }, "unread");
    const read = [mask, node("Cast", ["mask"], ["m"], { to: { type: "int", value: 1 } })];
    await compare(graphOf(read, [x], ["y", "m"], opset), { x: x3 }, "read");
  });

  test("names of values stay, graph outputs included", async () => {
    const graph = graphOf(
      [
        node("Softmax", ["x"], ["soft"], { axis: { type: "int", value: 1 } }),
        node("Clip", ["soft"], ["clipped"], { max: { type: "float", value: 0.1 } }),
        node("Unsqueeze", ["clipped"], ["wide"], { axes: { type: "ints", value: [1] } }),
        node("Split", ["wide"], ["a", "b", "c"], { axis: { type: "int", value: 2 } }),
        node("Dropout", ["b"], ["y"]),
      ],
      [x],
      ["y", "soft", "c"],
    );
    const names = ["soft", "clipped", "wide", "a", "b", "c", "y"];
    await compare(graph, { x: x3 }, "chain");
    upgradeGraph(graph);
    const made = graph.nodes.flatMap((each) => each.outputs);
    for (const name of names) expect(made).toContain(name);
  });

  test("a node that upgrades to nothing but a constant or its own input keeps its name", async () => {
    const shape = graphOf(
      [
        node("Shape", ["x"], ["s"]),
        node("Slice", ["s"], ["last"], {
          axes: { type: "ints", value: [0] },
          starts: { type: "ints", value: [1] },
          ends: { type: "ints", value: [3] },
        }),
        node("Cast", ["last"], ["y"], { to: { type: "int", value: 1 } }),
      ],
      [x],
      ["y"],
    );
    await compare(shape, { x: x3 }, "shape");
  });

  test("nodes out of order", async () => {
    const graph = graphOf(
      [
        node("Squeeze", ["wide"], ["y"], { axes: { type: "ints", value: [0] } }),
        node("Unsqueeze", ["x"], ["wide"], { axes: { type: "ints", value: [0] } }),
      ],
      [x],
      ["y"],
    );
    const ordered = { ...copyGraph(graph), nodes: [...graph.nodes].reverse() };
    const before = await withSession(ordered, {}, (session) => session.run({ x: x3 }));
    upgradeGraph(graph);
    const after = await withSession(graph, {}, (session) => session.run({ x: x3 }));
    expect(after.y!.data).toEqual(before.y!.data);
  });

  test("sub-graphs: PyTorch exports squeeze as a condition on the size", async () => {
    const branch = (nodes: Node[]): Graph => ({
      ...graphOf(nodes, [], []),
      outputs: [{ name: nodes.at(-1)!.outputs[0]!, dtype: "float32" }],
    });
    const one = { name: "x", dtype: "float32", shape: [2, 1, 4] } as const;
    const graph = graphOf(
      [
        node("If", ["c"], ["y"], {
          then_branch: {
            type: "graph",
            value: branch([node("Squeeze", ["x"], ["t"], { axes: { type: "ints", value: [1] } })]),
          },
          else_branch: {
            type: "graph",
            value: branch([
              node("Softmax", ["x"], ["e1"], { axis: { type: "int", value: 1 } }),
              node("ReduceMax", ["e1"], ["e"], {
                axes: { type: "ints", value: [1] },
                keepdims: { type: "int", value: 0 },
              }),
            ]),
          },
        }),
      ],
      [{ name: "c", dtype: "bool", shape: [] }, one],
      ["y"],
      11,
    );
    for (const c of [true, false])
      await compare(graph, { c: bool([], [c]), x: random.normal([2, 1, 4]) }, `condition ${c}`);
  });

  test("sub-graphs whose values the file gives no type", async () => {
    const body: Graph = {
      ...graphOf([node("Shape", ["x"], ["s"]), node("Slice", ["s", "from", "to"], ["inner"])], [], []),
      outputs: [{ name: "inner", dtype: "float32" }],
      initializers: new Map([
        ["from", initializerOf(int64([1], [1]))],
        ["to", initializerOf(int64([1], [3]))],
      ]),
    };
    const branch = { type: "graph", value: body } as const;
    const graph = graphOf(
      [
        node("If", ["c"], ["sizes"], { then_branch: branch, else_branch: branch }),
        node("Cast", ["sizes"], ["y"], { to: { type: "int", value: 1 } }),
      ],
      [{ name: "c", dtype: "bool", shape: [] }, x],
      ["y"],
      12,
    );
    await compare(graph, { c: bool([], [true]), x: x3 }, "a branch that gives int64");
  });

  test.each([0, 1])("Scan with a batch, direction %i: a running sum over time", async (direction) => {
    const body: Graph = {
      ...graphOf(
        [node("Add", ["sum", "next"], ["added"]), node("Identity", ["added"], ["each"])],
        [],
        ["added", "each"],
      ),
      inputs: [
        { name: "sum", dtype: "float32" },
        { name: "next", dtype: "float32" },
      ],
    };
    const scan = node("Scan", ["", "initial", "x"], ["final", "sums"], {
      body: { type: "graph", value: body },
      num_scan_inputs: { type: "int", value: 1 },
      directions: { type: "ints", value: [direction] },
    });
    const initial = { name: "initial", dtype: "float32", shape: [2, 4] } as const;
    const graph = graphOf([scan], [initial, x], ["final", "sums"], 8);
    await compare(graph, { initial: random.normal([2, 4]), x: x3 }, "scan");
  });

  test("Range of lists of one number, in the newest opset as well", async () => {
    const constant = (name: string, value: number) =>
      node("Constant", [], [name], { value: { type: "tensor", value: initializerOf(int64([1], [value])) } });
    const graph = graphOf(
      [
        constant("start", 1),
        constant("step", 2),
        node("Size", ["x"], ["limit"]),
        node("Range", ["start", "limit", "step"], ["odd"]),
        node("Cast", ["odd"], ["y"], { to: { type: "int", value: 1 } }),
      ],
      [x],
      ["y"],
      23,
    );
    upgradeGraph(graph);
    expect(graph.opsets.get("")).toBe(23);
    const { y } = await withSession(graph, {}, (session) => session.run({ x: x3 }));
    expect(Array.from(y!.data as Float32Array)).toEqual(Array.from({ length: 12 }, (_, i) => 2 * i + 1));
  });

  test("Constant nodes become initializers, in each of their forms", () => {
    const constant = (name: string, form: string, attribute: Node["attributes"][string]) =>
      node("Constant", [], [name], { [form]: attribute });
    const graph = graphOf(
      [
        constant("t", "value", { type: "tensor", value: initializerOf(float32([2], [1, 2])) }),
        constant("f", "value_float", { type: "float", value: 0.5 }),
        constant("i", "value_int", { type: "int", value: 7 }),
      ],
      [],
      [],
      18,
    );
    upgradeGraph(graph);
    expect(graph.nodes).toEqual([]);
    expect([...graph.initializers].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ["t", "float32", [2]],
      ["f", "float32", []],
      ["i", "int64", []],
    ]);
  });
});

describe("refusals", () => {
  test.each([...new Set(cases.map(([opType]) => opType))])("%s without its inputs is never a crash", (opType) => {
    for (const [type, , [opset], sample] of cases) {
      if (type !== opType) continue;
      const { graph } = old(type, opset!, sample);
      for (const inputs of [[], [""], ["ghost"]])
        for (const outputs of [[], graph.nodes[0]!.outputs]) {
          const damaged = { ...copyGraph(graph), nodes: [{ ...graph.nodes[0]!, inputs, outputs }] };
          try {
            upgradeGraph(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(CamError);
          }
        }
    }
  });

  test("opset 6 by name, 7 passes", () => {
    const graph = graphOf([node("Relu", ["x"], ["y"])], [x], ["y"], 6);
    expect(() => upgradeGraph(graph)).toThrow("opset 6; the oldest that can be read is 7");
    expect(() => upgradeGraph(graphOf([node("Relu", ["x"], ["y"])], [x], ["y"], 7))).not.toThrow();
  });

  test("Scan with sequences of different lengths", () => {
    const scan = node("Scan", ["lengths", "initial", "x"], ["final"], {
      body: { type: "graph", value: graphOf([], [], []) },
      num_scan_inputs: { type: "int", value: 1 },
    });
    const graph = graphOf([scan], [x, { ...x, name: "initial" }, { name: "lengths", dtype: "int64" }], ["final"], 8);
    expect(() => upgradeGraph(graph)).toThrow(/Scan final.*different lengths/);
  });

  test("BatchNormalization with a statistic per position", () => {
    const norm = node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], { spatial: { type: "int", value: 0 } });
    const names = ["s", "b", "m", "v"];
    const graph = graphOf([norm], [x, ...names.map((name) => ({ ...x, name }))], ["y"], 8);
    expect(() => upgradeGraph(graph)).toThrow(/BatchNormalization y.*spatial=0/);
  });
});
