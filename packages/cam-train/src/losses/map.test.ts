import { Builder, float32, type Graph, gradient, int64, openSession, type Tensor, type Value } from "@camkit/cam-core";
import { rng } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import type { LayerList } from "../layers/define-layer.ts";
import { trainingForm } from "../network/training-form.ts";
import { createNetwork } from "../networks/create.ts";
import { buildLoss, type LossItem } from "./index.ts";

/** Small, smooth before the map's own rectifier, with a batch norm behind the layer that is explained. */
const layers: LayerList = [
  { conv: { name: "first", filters: 4, padding: 1, stride: 2 } },
  { silu: { name: "features" } },
  { conv: { name: "second", filters: 5, padding: 1 } },
  "batchNorm",
  "gelu",
  "globalAveragePool",
  { dense: { name: "head", units: 3 } },
];
const random = rng(11);
const image = random.normal([3, 2, 8, 6]);
const label = int64([3], [2, 0, 1]);
const mask = float32(
  [3, 8, 6],
  Array.from({ length: 144 }, (_, i) => (i % 6 < 3 ? 1 : 0)),
);
/** The same layers over three axes of space, with a mask of more positions than the map has. */
const volume = random.normal([3, 2, 4, 6, 5]);
const volumeMask = float32(
  [3, 4, 6, 5],
  Array.from({ length: 360 }, (_, i) => (i % 120 < 60 ? 1 : 0)),
);
const trained = ["first.weight", "first.bias", "second.weight", "batchNorm.weight", "head.weight"];

/** A step's graph by hand: the trained weights are inputs, loss and gradients the outputs. */
async function openStep(
  loss: LossItem | LossItem[],
  list = layers,
  fields: Record<string, Tensor> = { label, mask },
  x = image,
) {
  const network = createNetwork({ name: "net", input: { name: "image", shape: x.shape }, seed: 3, layers: list });
  const { graph } = trainingForm(network);
  const feeds: Record<string, Tensor> = { image: x, ...fields };
  const names = trained.filter((name) => graph.initializers.has(name));
  for (const name of names) {
    const { shape, bytes } = graph.initializers.get(name)!;
    feeds[name] = float32(shape, new Float32Array(bytes.slice().buffer));
    graph.initializers.delete(name);
    graph.inputs.push({ name, dtype: "float32", shape });
  }
  for (const [name, { dtype, shape }] of Object.entries(fields)) graph.inputs.push({ name, dtype, shape });
  const op = new Builder(graph);
  const own = Object.fromEntries(Object.keys(fields).map((name) => [name, name]));
  const { loss: scalar } = buildLoss({ op, outputs: { logits: "logits" }, fields: own }, loss);
  const slopes = gradient(op, new Map([[scalar, op.scalar(1, "float32")]]), names);
  graph.outputs = [scalar, ...slopes].map((name) => ({ name, dtype: "float32" }));
  return { graph, scalar, slopes, names, feeds };
}

async function run(graph: Graph, feeds: Record<string, Tensor>, wanted?: Value[]) {
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds, wanted);
  } finally {
    await session.close();
  }
}

const values = (tensor: Tensor | undefined) => tensor!.data as Float32Array;

test.each<[LossItem, Tensor, Tensor]>([
  [{ map: { layer: "features", weight: 3 } }, image, mask],
  [{ map: { layer: "features", kind: "energyInside", method: "layer-cam" } }, image, mask],
  [{ map: { layer: "features", kind: "disagreement", method: "hires-cam" } }, image, mask],
  [{ map: { layer: "features", weight: 3 } }, volume, volumeMask],
])("%o beside cross entropy: the gradient is the derivative", async (term, x, where) => {
  const { graph, scalar, slopes, names, feeds } = await openStep(
    ["crossEntropy", term],
    layers,
    { label, mask: where },
    x,
  );
  const session = await openSession(graph, { threads: 1, optimize: "disabled" });
  try {
    const found = await session.run(feeds);
    // Along each weight's own gradient, a step of length h in each: short enough that few rectifiers change sides.
    const h = 5e-4;
    const directions = names.map((_, i) => {
      const slope = values(found[slopes[i]!]);
      return slope.map((value) => value / Math.hypot(...slope));
    });
    const at = async (step: number) => {
      const moved = names.map((name, i) => [
        name,
        float32(
          feeds[name]!.shape,
          values(feeds[name]).map((value, j) => value + step * directions[i]![j]!),
        ),
      ]);
      return values((await session.run({ ...feeds, ...Object.fromEntries(moved) }))[scalar])[0]!;
    };
    const difference = ((await at(h)) - (await at(-h))) / (2 * h);
    const projected = names.reduce((total, _, i) => total + Math.hypot(...values(found[slopes[i]!])), 0);
    expect(Math.abs(projected - difference)).toBeLessThan(1e-3 * projected);
  } finally {
    await session.close();
  }
});

test("pooling and a dense head: the share is that of relu(Σ w[t] · A), by hand", async () => {
  const plain: LayerList = [
    { conv: { name: "first", filters: 4, padding: 1 } },
    { relu: { name: "features" } },
    "globalAveragePool",
    { dense: { name: "head", units: 3 } },
  ];
  // At the layer's own size nothing is interpolated.
  const { graph, scalar, feeds } = await openStep({ map: { layer: "features" } }, plain);
  graph.outputs.push({ name: "features", dtype: "float32" });
  const found = await run(graph, feeds);
  const [a, w, m] = [values(found.features), values(feeds["head.weight"]), values(mask)];
  const shares = [2, 0, 1].map((t, n) => {
    const cam = Array.from({ length: 48 }, (_, p) => {
      const sum = [0, 1, 2, 3].reduce((total, k) => total + w[t * 4 + k]! * a[(n * 4 + k) * 48 + p]!, 0);
      return Math.max(sum, 0) / 48; // dA = w[t] / (H · W)
    });
    const inside = cam.reduce((total, value, p) => total + value * m[n * 48 + p]!, 0);
    return 1 - inside / (cam.reduce((total, value) => total + value, 0) + 1); // and one logit
  });
  expect(shares.every((share) => share > 0 && share < 1)).toBe(true);
  expect(values(found[scalar])[0]).toBeCloseTo((shares[0]! + shares[1]! + shares[2]!) / 3, 5);
});

test.each(["energyOutside", "energyInside", "disagreement"])("%s: no map at all is no way out", async (kind) => {
  const plain: LayerList = [
    { conv: { name: "first", filters: 4, padding: 1 } },
    { relu: { name: "features" } },
    "globalAveragePool",
    { dense: { name: "head", units: 3 } },
  ];
  const { graph, scalar, slopes, feeds } = await openStep({ map: { layer: "features", kind } }, plain);
  // Every weight of the head says no, so every map is 0 behind its rectifier.
  const head = feeds["head.weight"]!;
  const found = await run(graph, {
    ...feeds,
    "head.weight": float32(
      head.shape,
      values(head).map((w) => -Math.abs(w)),
    ),
  });
  expect(values(found[scalar])[0]).toBe(1);
  for (const slope of slopes) expect(values(found[slope]).every(Number.isFinite)).toBe(true);
});

test("with one logit the map is the verdict's: its sign follows the label", async () => {
  const one: LayerList = [...layers.slice(0, -1), { dense: { name: "head", units: 1 } }];
  const share = async (labels: number[]) => {
    const fields = { label: float32([3, 1], labels), mask };
    const { graph, scalar, feeds } = await openStep({ map: { layer: "features" } }, one, fields);
    return values((await run(graph, feeds))[scalar])[0]!;
  };
  expect(await share([1, 1, 1])).not.toBeCloseTo(await share([0, 0, 0]), 3);
});

test.each<[LossItem, string]>([
  [{ map: { layer: "feature" } }, 'map: there is no layer "feature"'],
  [{ map: { layer: "logits" } }, 'map: layer "logits" is [3, 3]'],
  [{ map: { layer: "features", mask: "masks" } }, 'map: there is no field "masks"'],
  [{ map: { layer: "features", mask: "label" } }, "map: its mask is [3]"],
  [{ map: { layer: "features", method: "cam" } }, "map.method: "],
])("%o is refused", async (loss, message) => {
  await expect(openStep(loss)).rejects.toThrow(message);
});
