import { Builder, emptyGraph, type Graph, openSession, type Tensor } from "@camkit/cam-core";
import { rng } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { convsAsProducts } from "./index.ts";

type Attributes = NonNullable<Parameters<Builder["conv"]>[2]>;

function convolution(x: readonly number[], w: readonly number[], attributes: Attributes, bias: boolean): Graph {
  const graph = emptyGraph("conv", new Map([["", 18]]));
  const inputs = { x, w, ...(bias ? { b: [w[0]!] } : {}) };
  graph.inputs = Object.entries(inputs).map(([name, shape]) => ({ name, dtype: "float32", shape }));
  const op = new Builder(graph);
  const y = op.node("Conv", Object.keys(inputs), { ...attributes })[0]!;
  graph.outputs = [{ name: op.alias(y, "y"), dtype: "float32" }];
  return graph;
}

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Tensor> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return (await session.run(feeds)).y!;
  } finally {
    await session.close();
  }
}

const cases: readonly [what: string, x: readonly number[], w: readonly number[], Attributes, bias?: boolean][] = [
  ["3×3, padded", [2, 5, 2, 3], [12, 5, 3, 3], { pads: [1, 1, 1, 1] }, true],
  ["with strides that don't divide", [2, 3, 5, 4], [10, 3, 3, 2], { pads: [1, 0, 1, 1], strides: [2, 3] }],
  ["dilated", [1, 4, 6, 7], [20, 4, 3, 3], { pads: [1, 2, 2, 1], dilations: [2, 3], strides: [2, 2] }, true],
  ["1×1", [3, 6, 2, 2], [8, 6, 1, 1], {}, true],
  ["1×1 with stride", [2, 6, 3, 4], [8, 6, 1, 1], { strides: [2, 2] }],
  ["1-D", [2, 3, 5], [9, 3, 3], { pads: [1, 1] }, true],
  ["depthwise", [2, 5, 4, 3], [5, 1, 3, 3], { group: 5, pads: [1, 1, 1, 1] }, true],
  ["depthwise with strides", [3, 4, 7, 6], [4, 1, 3, 2], { group: 4, pads: [1, 0, 1, 1], strides: [2, 3] }],
  ["depthwise, dilated, 1-D", [2, 3, 9], [3, 1, 3], { group: 3, pads: [2, 1], dilations: [2] }, true],
  ["3-D", [1, 3, 2, 3, 2], [16, 3, 3, 3, 1], { pads: [1, 1, 0, 1, 1, 0] }],
];

test.each(cases)("%s: the same numbers", async (_, x, w, attributes, bias = false) => {
  const graph = convolution(x, w, attributes, bias);
  const lowered = convsAsProducts(graph);
  expect(lowered.nodes.map(({ opType }) => opType)).not.toContain("Conv");
  const random = rng(4);
  const feeds = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, random.normal(shape as number[])]));
  const [expected, found] = [await run(graph, feeds), await run(lowered, feeds)];
  expect(found.shape).toEqual(expected.shape);
  for (const [i, value] of (expected.data as Float32Array).entries())
    expect(Math.abs((found.data as Float32Array)[i]! - value)).toBeLessThan(2e-5);
});

test.each([
  ["many positions", [4, 8, 12, 12], [8, 8, 3, 3], {}],
  ["groups", [2, 8, 2, 2], [32, 2, 1, 1], { group: 4 }],
] as const)("%s: left to the runtime", (_, x, w, attributes) => {
  const lowered = convsAsProducts(convolution(x, w, attributes, false));
  expect(lowered.nodes.map(({ opType }) => opType)).toEqual(["Conv", "Identity"]);
});
