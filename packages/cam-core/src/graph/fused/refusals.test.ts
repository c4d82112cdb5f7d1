import { expect, test } from "vitest";
import { tinyModel } from "../../testing/tiny-models.ts";
import { type Attributes, emptyGraph, type Graph, type Node, type Shape } from "../graph.ts";
import { expandFused, whyNotExpanded } from "./index.ts";

const i = (value: number) => ({ type: "int", value }) as const;
const f = (value: number) => ({ type: "float", value }) as const;

/** One fused node; a shape is an input of it, null one of unknown rank, "" is absent. */
function fused(
  opType: string,
  inputs: readonly (Shape | null | "")[],
  attributes: Attributes,
  outputs = 1,
): { graph: Graph; node: Node } {
  const names = inputs.map((input, n) => (input === "" ? "" : `x${n}`));
  const node: Node = {
    opType,
    domain: "com.microsoft",
    name: "it",
    inputs: names,
    outputs: Array.from({ length: outputs }, (_, n) => `y${n}`),
    attributes,
  };
  const graph = emptyGraph(
    "g",
    new Map([
      ["", 18],
      ["com.microsoft", 1],
    ]),
  );
  graph.nodes = [node];
  graph.inputs = inputs.flatMap((shape, n) =>
    shape === ""
      ? []
      : [
          {
            name: names[n]!,
            dtype: n === 1 && opType === "MatMulNBits" ? ("uint8" as const) : ("float32" as const),
            ...(shape ? { shape } : {}),
          },
        ],
  );
  graph.outputs = node.outputs.map((name) => ({ name, dtype: "float32" }));
  return { graph, node };
}

const x = [1, 4, 8];
const attention = [x, [8, 24], [24]];
const query = ["", "", "", "", "", "", ""] as const;

test.each<[string, RegExp, Parameters<typeof fused>]>([
  ["a past", /past keys and values/, ["Attention", [...attention, "", [2, 1, 2, 3, 4]], { num_heads: i(2) }]],
  [
    "a shared past",
    /past keys and values/,
    ["Attention", attention, { num_heads: i(2), past_present_share_buffer: i(1) }],
  ],
  ["turned queries", /do_rotary/, ["Attention", attention, { num_heads: i(2), do_rotary: i(1) }]],
  ["weights of unknown shape", /shape of its weights/, ["Attention", [x, null, [24]], { num_heads: i(2) }]],
  ["packed inputs", /packed into one/, ["MultiHeadAttention", [[1, 4, 2, 3, 4]], { num_heads: i(2) }]],
  ["no keys", /no keys and values/, ["MultiHeadAttention", [x], { num_heads: i(2) }]],
  [
    "a local window",
    /local/,
    [
      "GroupQueryAttention",
      [x, x, x, ...query.slice(0, 2), [1], [1]],
      { num_heads: i(2), kv_num_heads: i(2), local_window_size: i(4) },
    ],
  ],
  [
    "a smooth softmax",
    /smooth/,
    [
      "GroupQueryAttention",
      [x, x, x, ...query.slice(0, 2), [1], [1]],
      { num_heads: i(2), kv_num_heads: i(2), smooth_softmax: i(1) },
    ],
  ],
  [
    "capped scores",
    /capped/,
    [
      "GroupQueryAttention",
      [x, x, x, ...query.slice(0, 2), [1], [1]],
      { num_heads: i(2), kv_num_heads: i(2), softcap: f(30) },
    ],
  ],
  [
    "positions of its own",
    /positions/,
    [
      "GroupQueryAttention",
      [x, x, x, ...query.slice(0, 2), [1], [1], "", "", [1, 4]],
      { num_heads: i(2), kv_num_heads: i(2) },
    ],
  ],
  [
    "packed input of unknown width",
    /width of its packed input/,
    [
      "GroupQueryAttention",
      [[1, 4, "w"], "", "", ...query.slice(0, 2), [1], [1]],
      { num_heads: i(2), kv_num_heads: i(2) },
    ],
  ],
  [
    "reordered blocks",
    /reordered/,
    ["MatMulNBits", [x, [8, 1, 4], [8], "", [8]], { K: i(8), N: i(8), bits: i(4), block_size: i(8) }],
  ],
  [
    "weights for one machine",
    /one machine/,
    ["MatMulNBits", [x, [8, 1, 4], [8]], { K: i(8), N: i(8), bits: i(4), block_size: i(8), weight_prepacked: i(1) }],
  ],
  ["no bits", /0 bits/, ["MatMulNBits", [x, [8, 1, 4], [8]], { K: i(8), N: i(8), bits: i(0), block_size: i(8) }]],
  ["no block", /blocks of 0/, ["MatMulNBits", [x, [8, 1, 4], [8]], { K: i(8), N: i(8), bits: i(4), block_size: i(0) }]],
])("refused by name: %s", (_, why, [opType, inputs, attributes]) => {
  const { graph, node } = fused(opType, inputs, attributes);
  expect(whyNotExpanded(graph, node)).toMatch(why);
  expandFused(graph);
  expect(graph.nodes, "left as it was").toEqual([node]);
});

test("an operator that isn't fused has no reason not to be expanded", () => {
  const { graph } = tinyModel({ x: [2] }, (op, { x: input }) => ({ y: op.relu(input!) }));
  expect(whyNotExpanded(graph, graph.nodes[0]!)).toBeUndefined();
});
