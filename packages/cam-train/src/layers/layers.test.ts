import { type Graph, openSession, type Tensor } from "@camkit/cam-core";
import { formula, rng } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { createNetwork } from "../networks/create.ts";
import type { LayerList } from "./define-layer.ts";

/** Layers that PyTorch's golden values don't cover: by hand, or by their formula. */

const network = (layers: LayerList, shape: readonly number[]): Graph =>
  createNetwork({ name: "net", input: { name: "x", shape: ["n", ...shape.slice(1)] }, seed: 1, layers });

async function run(graph: Graph, x: Tensor): Promise<{ shape: readonly number[]; values: number[] }> {
  const session = await openSession(graph, { threads: 1 });
  try {
    const { logits } = await session.run({ x });
    return { shape: logits!.shape, values: [...(logits!.data as Float32Array)] };
  } finally {
    await session.close();
  }
}

const through = (layers: LayerList, x: Tensor) => run(network(layers, x.shape), x);

const x = rng(1).uniform(-5, 5, [2, 3, 4]);
const numbers = [...(x.data as Float32Array)];

test.each<[string, LayerList, (x: number) => number]>([
  ["leakyRelu", [{ leakyRelu: 0.2 }], (v) => (v < 0 ? 0.2 * v : v)],
  ["sigmoid", ["sigmoid"], (v) => 1 / (1 + Math.exp(-v))],
  ["tanh", ["tanh"], Math.tanh],
  ["hardSwish", ["hardSwish"], (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6],
  ["relu6", ["relu6"], (v) => Math.min(Math.max(v, 0), 6)],
])("%s is its formula", async (_, layers, f) => {
  const { values } = await through(layers, x);
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(f(numbers[i]!), 5);
  });
});

test.each([
  // ceil(size / stride); in all (out - 1) · stride + extent - size pads, the odd one at the end: begins, then ends.
  [7, 3, 1, 1, 7, [1, 1]],
  [7, 4, 1, 1, 7, [1, 2]],
  [7, 3, 2, 1, 4, [1, 1]],
  [8, 3, 2, 1, 4, [0, 1]],
  [8, 3, 1, 2, 8, [2, 2]],
  [5, 1, 3, 1, 2, [0, 0]],
])("padding same: size %i, kernel %i, stride %i, dilation %i", (size, kernel, stride, dilation, out, pads) => {
  const graph = network([{ conv: { filters: 1, kernel, stride, dilation, padding: "same" } }], [1, 1, size]);
  expect(graph.outputs[0]!.shape).toEqual(["n", 1, out]);
  expect(graph.nodes[0]!.attributes.pads).toEqual({ type: "ints", value: pads });
});

test("flatten and tokens order values as they lie", async () => {
  const picture = formula([1, 2, 2, 3], (n) => n);
  expect((await through(["flatten"], picture)).values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const { shape, values } = await through(["tokens"], picture);
  expect(shape).toEqual([1, 6, 2]);
  expect(values).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
});

test("a class token comes first, in every sample; one token or their mean is left at the end", async () => {
  const given = formula([2, 3, 2], (n) => n + 1); // tokens [1, 2], [3, 4], [5, 6]; [7, 8], [9, 10], [11, 12]
  expect((await through(["classToken"], given)).values).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12]);
  expect((await through(["firstToken"], given)).values).toEqual([1, 2, 7, 8]);
  expect((await through(["meanToken"], given)).values).toEqual([3, 4, 9, 10]);
  const moved = (await through([{ positionEmbedding: 0.02 }], given)).values.map((value, i) => value - (i + 1));
  expect(moved.slice(0, 6).map((value) => value.toFixed(5))).toEqual(moved.slice(6).map((value) => value.toFixed(5)));
  expect(Math.max(...moved.map(Math.abs))).toBeGreaterThan(0.001);
  expect(Math.max(...moved.map(Math.abs))).toBeLessThan(0.0401);
});

test("upsample repeats, or interpolates between the centres of pixels", async () => {
  const line = formula([1, 1, 1, 2], (n) => 4 * n); // 0, 4
  expect((await through([{ upsample: { scale: [1, 2] } }], line)).values).toEqual([0, 0, 4, 4]);
  // Centres of the new pixels lie at -1/4, 1/4, 3/4, 5/4 of the old ones' distance; outside, the edge counts.
  expect((await through([{ upsample: { scale: [1, 2], mode: "linear" } }], line)).values).toEqual([0, 1, 3, 4]);
});

test("a small vision transformer is a list", async () => {
  const encoder: LayerList = [
    { residual: ["layerNorm", { attention: 2 }] },
    {
      residual: {
        name: "mlp",
        main: ["layerNorm", { dense: 16 }, "gelu", { dropout: 0.1 }, { dense: { name: "out", units: 8 } }],
      },
    },
  ];
  const layers: LayerList = [
    { conv: { name: "patches", filters: 8, kernel: 4, stride: 4 } },
    "tokens",
    "classToken",
    "positionEmbedding",
    { repeat: { name: "encoder", times: 2, layers: encoder } },
    "layerNorm",
    "firstToken",
    { dense: { name: "head", units: 3 } },
  ];
  const graph = network(layers, [1, 3, 8, 8]);
  expect([...graph.initializers.keys()]).toContain("encoder.1.residual.attention.out_proj.weight");
  const picture = rng(2).normal([2, 3, 8, 8]);
  const { shape, values } = await run(graph, picture);
  expect(shape).toEqual([2, 3]);
  // Samples don't see each other.
  const second = await run(graph, { ...picture, shape: [1, 3, 8, 8], data: (picture.data as Float32Array).slice(192) });
  second.values.forEach((value, i) => {
    expect(value).toBeCloseTo(values[3 + i]!, 5);
  });
});
