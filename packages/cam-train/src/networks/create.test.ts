import { type Graph, openSession, sizeOf } from "@camkit/cam-core";
import { rng } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { cifake } from "./cifake.ts";
import { createNetwork } from "./create.ts";

const create = (options: Parameters<typeof cifake>[0] = {}, seed = 1): Graph =>
  createNetwork({ name: "cifake", input: { name: "image", shape: ["n", 3, 32, 32] }, seed, layers: cifake(options) });

const parameters = (graph: Graph) =>
  [...graph.initializers.values()].reduce(
    (sum, { dtype, shape }) => sum + (dtype === "float32" ? sizeOf(shape) : 0),
    0,
  );

test("CIFAKE's network has the published number of parameters", () => {
  // 3·9·32 + 32 = 896; 32·9·32 + 32 = 9,248; 6·6·32·64 + 64 = 73,792; 64 + 1 = 65.
  expect(parameters(create())).toBe(84_001);
  // The dense layer has 8·8·32·64 + 64 = 131,136.
  expect(parameters(create({ padding: "same" }))).toBe(141_345);
  expect(parameters(create({ padding: "same", outputs: 2 }))).toBe(141_410);
});

test("values and weights have readable names, the batch stays open", () => {
  const graph = create();
  expect(graph.nodes.map(({ opType, outputs }) => `${opType} ${outputs}`)).toEqual([
    "Conv conv1",
    "Relu relu1",
    "MaxPool pool1",
    "Conv conv2",
    "Relu relu2",
    "MaxPool pool2",
    "Flatten flatten",
    "Gemm dense1",
    "Relu relu3",
    "Gemm logits",
  ]);
  expect([...graph.initializers.keys()]).toEqual(
    ["conv1", "conv2", "dense1", "head"].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
  );
  expect(graph.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["n", 1] }]);
});

test("it runs, and the same seed gives the same bits", async () => {
  const image = rng(3).normal([2, 3, 32, 32]);
  const logits = async (graph: Graph) => {
    const session = await openSession(graph, { threads: 1 });
    try {
      return [...((await session.run({ image })).logits!.data as Float32Array)];
    } finally {
      await session.close();
    }
  };
  const first = await logits(create());
  expect(first).toHaveLength(2);
  expect(first.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  expect(await logits(create())).toEqual(first);
  expect(await logits(create({}, 2))).not.toEqual(first);
});

test("another layer changes no other layer's weights", () => {
  const values = (graph: Graph, name: string) => [...graph.initializers.get(name)!.bytes];
  expect(values(create({ convs: 3, padding: "same" }), "conv2.weight")).toEqual(values(create(), "conv2.weight"));
});
