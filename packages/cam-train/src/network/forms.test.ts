import { float32, type Graph, initializerOf, openSession, sizeOf, type Tensor } from "@camkit/cam-core";
import { rng } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import type { LayerList } from "../layers/define-layer.ts";
import { createNetwork } from "../networks/create.ts";
import { inferenceForm } from "./inference-form.ts";
import { trainingForm } from "./training-form.ts";

const layers: LayerList = [
  { conv: { filters: 4, padding: "same", bias: false } },
  "batchNorm",
  "relu",
  { residual: [{ conv: { filters: 4, padding: 1 } }, { batchNorm: { epsilon: 1e-3 } }] },
  { dropout: 0 },
  { dropout: { name: "drop", ratio: 0.25 } },
  "globalAveragePool",
  { dense: 3 },
];

/** With statistics and biases that aren't 0 and 1, so that nothing cancels. */
function network(): Graph {
  const graph = createNetwork({ name: "net", input: { name: "x", shape: [2, 3, 6, 5] }, seed: 1, layers });
  const random = rng(5);
  for (const [name, { shape }] of graph.initializers)
    if (/batchNorm/.test(name)) graph.initializers.set(name, initializerOf(random.uniform(0.5, 2, shape)));
  return graph;
}

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<number[]> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return [...((await session.run(feeds)).logits!.data as Float32Array)];
  } finally {
    await session.close();
  }
}

const x = rng(2).normal([2, 3, 6, 5]);
const worst = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test("what is deployed computes the same, with batch norms folded or not", async () => {
  const expected = await run(network(), { x });
  const plain = inferenceForm(network());
  expect(plain.nodes.map(({ opType }) => opType)).not.toContain("Dropout");
  expect(worst(await run(plain, { x }), expected)).toBeLessThan(1e-6);
  const folded = inferenceForm(network(), {}, { foldBatchNorms: true });
  expect(folded.nodes.map(({ opType }) => opType)).toEqual([
    "Conv",
    "Relu",
    "Conv",
    "Add",
    "GlobalAveragePool",
    "Flatten",
    "Gemm",
  ]);
  expect(folded.nodes[0]!.outputs).toEqual(["batchNorm"]);
  expect(worst(await run(folded, { x }), expected)).toBeLessThan(1e-5);
});

test("a batch norm stays where its convolution is asked for elsewhere", () => {
  const graph = network();
  graph.outputs.push({ name: "conv", dtype: "float32" });
  const folded = inferenceForm(graph, {}, { foldBatchNorms: true });
  expect(folded.nodes.filter(({ opType }) => opType === "BatchNormalization")).toHaveLength(1);
});

test("trained values take the place of the first ones", async () => {
  const bias = Float32Array.of(1, 2, 3);
  const weight = new Float32Array(12);
  expect(await run(inferenceForm(network(), { "dense.bias": bias, "dense.weight": weight }), { x })).toEqual([
    1, 2, 3, 1, 2, 3,
  ]);
  expect(() => inferenceForm(network(), { "dense.bais": bias })).toThrow('no weight "dense.bais"');
  expect(() => inferenceForm(network(), { "dense.weight": bias })).toThrow("3 numbers for a weight of shape [3, 4]");
});

test("the mask is fed, a ratio of 0 leaves nothing", async () => {
  const { graph, masks } = trainingForm(network(), { statistics: "keep" });
  expect(masks).toEqual([{ input: "mask/drop", shape: [2, 4, 6, 5], ratio: 0.25 }]);
  const mask = (value: number) => float32([2, 4, 6, 5], Array(sizeOf([2, 4, 6, 5])).fill(value));
  const all = await run(graph, { x, "mask/drop": mask(1) });
  expect(worst(all, await run(network(), { x }))).toBeLessThan(1e-6);
  const none = await run(graph, { x, "mask/drop": mask(0) });
  expect(worst(none.slice(0, 3), none.slice(3))).toBe(0); // the bias alone
});

test("statistics are followed where asked for", () => {
  const { graph, statistics } = trainingForm(network(), {
    statistics: (norm) => (norm === "batchNorm" ? "keep" : "batch"),
  });
  expect([...statistics.keys()]).toEqual(["residual.batchNorm.running_mean", "residual.batchNorm.running_var"]);
  expect(graph.nodes.map(({ outputs }) => outputs[0])).toContain("residual.batchNorm");
});

test("an open batch is refused where a mask needs its size", () => {
  const graph = createNetwork({
    name: "net",
    input: { name: "x", shape: ["n", 4] },
    seed: 1,
    layers: [{ dropout: 0.5 }],
  });
  expect(() => trainingForm(graph)).toThrow("logits: its mask would have the shape [n, 4]");
});
