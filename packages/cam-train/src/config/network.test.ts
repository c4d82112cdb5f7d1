import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, float32, type Graph, openSession, writeAtomic, writeModel } from "@camkit/cam-core";
import { rng } from "@camkit/cam-core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { createNetwork } from "../networks/create.ts";
import { buildNetwork, lossOf, openBatch, openOrigin } from "./network.ts";
import { checkConfig } from "./read.ts";
import type { Config } from "./schema.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-network-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pictures = (
  classes: readonly string[],
  labelKind: Dataset["labelKind"] = "class",
  width = classes.length,
): Dataset =>
  ({
    classes,
    labelKind,
    fields: {
      input: { dtype: "uint8", shape: [8, 8, 3] },
      label: labelKind === "class" ? { dtype: "int64", shape: [] } : { dtype: "float32", shape: [width] },
    },
  }) as unknown as Dataset;

const configOf = (network: object, more: object = {}): Config =>
  checkConfig({ network, data: { train: "x" }, ...more }, "net", ".").config;

async function built(config: Config, dataset: Dataset) {
  const origin = await openOrigin(config);
  return { origin, ...buildNetwork(config, origin, dataset) };
}

/** A classifier as exporters write it: a batch of 1, probabilities behind a softmax. `sizes` go through Reshapes before it. */
function exported(...sizes: readonly (readonly number[])[]): Graph {
  const graph = createNetwork({
    name: "file",
    input: { name: "x", shape: [1, 3, 8, 8] },
    seed: 1,
    layers: [
      { conv: { name: "features", filters: 4, kernel: 3 } },
      "relu",
      "flatten",
      { dense: { name: "fc", units: 3 } },
    ],
  });
  const op = new Builder(graph);
  const probabilities = op.softmax(
    sizes.reduce((value, each) => op.reshape(value, each), "logits"),
    1,
  );
  graph.outputs = [{ name: probabilities, dtype: "float32", shape: [1, 3] }];
  return graph;
}

async function saved(name: string, graph: Graph): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeAtomic(path, writeModel(graph).model);
  return path;
}

test("outputs follow the data and the loss", async () => {
  const small = { preset: "cifake", convs: 1, filters: 2, units: 3 };
  const size = { input: { size: [8, 8] } };
  const widthOf = async (dataset: Dataset, more: object = {}) =>
    (await built(configOf(small, { ...size, ...more }), dataset)).graph.outputs[0]!.shape![1];
  expect(await widthOf(pictures(["a", "b"]))).toBe(2);
  expect(await widthOf(pictures(["a", "b"]), { loss: "binary" })).toBe(1);
  expect(await widthOf(pictures(["a", "b", "c"]))).toBe(3);
  expect(await widthOf(pictures(["a", "b", "c"], "multi-label"))).toBe(3);
  expect(await widthOf(pictures([], "values", 5))).toBe(5);
  const given = configOf({ ...small, outputs: 4 }, size);
  await expect(built(given, pictures(["a", "b", "c"]))).rejects.toThrow(
    "the network has 4 outputs, the data asks for 3",
  );
});

test("a loss that fits the labels, unless one is named", () => {
  const config = configOf({ preset: "cifake" });
  expect(["class", "multi-label", "values"].map((labelKind) => lossOf(config, { labelKind } as Dataset))).toEqual([
    "crossEntropy",
    "binary",
    "meanSquared",
  ]);
  expect(lossOf(configOf({ preset: "cifake" }, { loss: "focal" }), { labelKind: "class" } as Dataset)).toBe("focal");
});

test("a file's head is kept: what is judged are the logits before its softmax, for any number of samples", async () => {
  const path = await saved("kept", exported());
  const { graph, trained, origin } = await built(configOf({ model: path }), pictures(["a", "b", "c"]));
  expect(origin.warnings[0]).toMatch(/preprocessing was assumed/);
  expect(graph.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["n", 3] }]);
  expect(trained).toEqual(["features.weight", "features.bias", "fc.weight", "fc.bias"]);
  const x = rng(1).normal([2, 3, 8, 8]);
  const [many, one] = [await openSession(graph, { threads: 1 }), await openSession(exported(), { threads: 1 })];
  const logits = (await many.run({ x })).logits!.data as Float32Array;
  const second = { ...x, shape: [1, 3, 8, 8], data: (x.data as Float32Array).slice(192) };
  const [probabilities] = Object.values(await one.run({ x: second }));
  const powers = Array.from(logits.subarray(3), Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  for (const [k, power] of powers.entries())
    expect((probabilities!.data as Float32Array)[k]).toBeCloseTo(power / sum, 5);
  await many.close();
  await one.close();
});

test("another head: fresh weights for the data's classes, and only they train", async () => {
  const path = await saved("replaced", exported());
  const config = configOf({ model: path, head: "replace", train: ["head.*"] });
  const { graph, trained } = await built(config, pictures(["a", "b"]));
  expect(trained).toEqual(["head.weight", "head.bias"]);
  expect(graph.outputs[0]!.shape).toEqual(["n", 2]);
  await expect(built(configOf({ model: path }), pictures(["a", "b"]))).rejects.toThrow(
    /3 outputs, the data asks for 2/,
  );
});

test("a batch that is spelled out inside stays as the file has it", () => {
  expect(openBatch(exported()).inputs[0]!.shape).toEqual(["n", 3, 8, 8]);
  for (const sizes of [
    [[3], [1, 3]],
    [
      [1, 1, 3],
      [-1, 3],
    ],
  ])
    expect(openBatch(exported(...sizes)).inputs[0]!.shape, `${sizes}`).toEqual([1, 3, 8, 8]);
  const added = exported();
  const op = new Builder(added);
  // One row for a batch of one: of several it would take the first.
  const first = op.slice("logits", { axes: [0], starts: [0], ends: [1] });
  added.outputs = [{ name: op.add(first, op.constant(float32([1], [1]))), dtype: "float32", shape: [1, 3] }];
  expect(openBatch(added).inputs[0]!.shape).toEqual([1, 3, 8, 8]);
});

test("finished tensors: the network takes their shape", async () => {
  const tensors = { ...pictures(["a", "b"]), fields: { input: { dtype: "float32", shape: [2, 12, 12] } } } as never;
  const { graph } = await built(configOf({ preset: "cifake", convs: 1, filters: 2 }), tensors);
  expect(graph.inputs[0]!.shape).toEqual(["n", 2, 12, 12]);
});
