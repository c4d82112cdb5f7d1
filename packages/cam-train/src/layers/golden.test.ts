import { readFileSync } from "node:fs";
import { Builder, float32, gradient, openSession, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { trainingForm } from "../network/training-form.ts";
import { createNetwork } from "../networks/create.ts";
import type { LayerList } from "./define-layer.ts";

/** Output and gradients of each layer in PyTorch, float64: scripts/golden/layers.py. */
type Numbers = { shape: number[]; data: number[] };
type Case = {
  name: string;
  layers: LayerList;
  x: Numbers;
  parameters: Record<string, Numbers>;
  mask?: Numbers;
  dy: Numbers;
  y: Numbers;
  gradients: Record<string, Numbers>;
  after?: Record<string, Numbers>;
};

const file = new URL("../../test/golden/layers.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] };

const tensor = ({ shape, data }: Numbers): Tensor => float32(shape, data);

/** Largest difference, relative to the largest number that is expected. */
function difference(found: Tensor, expected: Numbers): number {
  expect(found.shape).toEqual(expected.shape);
  const scale = Math.max(...expected.data.map(Math.abs), 1e-3);
  const values = [...(found.data as Float32Array)];
  return Math.max(...values.map((value, i) => Math.abs(value - expected.data[i]!))) / scale;
}

test.each(cases)("$name: PyTorch's output and gradients in training", async (golden) => {
  const { layers, x, parameters, mask, dy, y, gradients, after = {} } = golden;
  const network = createNetwork({ name: "layer", input: { name: "x", shape: x.shape }, seed: 1, layers });
  const { graph, statistics, masks } = trainingForm(network);
  const feeds: Record<string, Tensor> = { x: tensor(x), dy: tensor(dy) };
  for (const [name, values] of Object.entries(parameters)) {
    expect(graph.initializers.get(name)?.shape, name).toEqual(values.shape);
    graph.initializers.delete(name);
    graph.inputs.push({ name, dtype: "float32", shape: values.shape });
    feeds[name] = tensor(values);
  }
  for (const { input, ratio, shape } of masks) {
    expect(shape).toEqual(mask!.shape);
    feeds[input] = float32(
      shape,
      mask!.data.map((kept) => kept / (1 - ratio)),
    );
  }
  graph.inputs.push({ name: "dy", dtype: "float32", shape: dy.shape });
  const op = new Builder(graph);
  const wrt = Object.keys(gradients);
  const slopes = gradient(op, new Map([["logits", "dy"]]), wrt);
  const expected = [
    ["logits", y] as const,
    ...wrt.map((name, i) => [slopes[i]!, gradients[name]!] as const),
    ...Object.entries(after).map(([name, values]) => [statistics.get(name)!, values] as const),
  ];
  graph.outputs = [...new Set(expected.map(([name]) => name))].map((name) => ({ name, dtype: "float32" }));
  const session = await openSession(graph, { threads: 1 });
  try {
    const found = await session.run(feeds);
    for (const [name, values] of expected) expect(difference(found[name]!, values), name).toBeLessThan(1e-5);
  } finally {
    await session.close();
  }
});
