import { afterAll, beforeAll, expect, test } from "vitest";
import { openFeeder } from "../data/feeder.ts";
import { openDataset } from "../data/open.ts";
import { buildLoss } from "../losses/index.ts";
import { createNetwork } from "../networks/create.ts";
import { openPaths, type Paths } from "./paths.ts";
import { type Architecture, covidnetSpace, type SearchSpace } from "./space.ts";
import { openSupernet, type Supernet } from "./supernet.ts";
import { smallSpace, volumesOf } from "./test-space.ts";

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const each of opened) await each.close();
});

async function openSpace(space: SearchSpace, size: readonly [number, number, number]) {
  const dataset = await openDataset(volumesOf(8, size));
  const feeder = openFeeder({ dataset, batch: 4, workers: 0 });
  const { fields } = await feeder.batch(0, 0);
  const network = (architecture: Architecture) =>
    createNetwork({
      name: "net",
      input: { name: "x", shape: ["n", 1, ...size] },
      seed: 1,
      layers: space.layers(architecture),
    });
  const supernet = await openSupernet({ space, network, decay: 1e-3, threads: 1 });
  const loss = (context: Parameters<typeof buildLoss>[0]) => buildLoss(context, "crossEntropy");
  const paths = openPaths({ space, network, supernet, loss, seed: 1, threads: 1, batch: 4, fields: dataset.fields });
  opened.push(feeder, supernet, paths);
  return { fields, supernet, paths };
}

let small: Awaited<ReturnType<typeof openSpace>>;
beforeAll(async () => {
  small = await openSpace(smallSpace, [4, 6, 6]);
});

/** What the loss gains per share of what an op makes, by differences: its last layer's weights scale that. */
async function difference(
  paths: Paths,
  supernet: Supernet,
  batch: typeof small.fields,
  path: Architecture,
  scales: string[],
) {
  const at = async (factor: number) => {
    const views = scales.map((name) => supernet.view(supernet.weights, name).data as Float32Array);
    const before = views.map((view) => view.slice());
    for (const view of views) view.set(view.map((value) => value * factor));
    const { loss } = await paths.shares(path, batch, 3);
    for (const [i, view] of views.entries()) view.set(before[i]!);
    return loss;
  };
  const h = 1e-2;
  return ((await at(1 + h)) - (await at(1 - h))) / (2 * h);
}

test.each([[{ c0: "near", c1: "point", c2: "point" }], [{ c0: "point", c1: "near", c2: "none" }]])(
  "%o: each cell's share is the loss's slope in how much its op counts",
  async (path) => {
    const { paths, supernet, fields } = small;
    // Shifts begin at 0: without some, half of what scales would go untested.
    for (const name of supernet.layout.slots.map((slot) => slot.name).filter((name) => name.endsWith("norm.bias")))
      (supernet.view(supernet.weights, name).data as Float32Array).fill(0.3);
    const { shares } = await paths.shares(path, fields, 3);
    const asked = Object.entries(path).filter(([, op]) => op !== "none");
    expect(Object.keys(shares)).toEqual(asked.map(([cell]) => cell));
    for (const [cell, op] of asked) {
      const scales = ["weight", "bias"].map((part) => `${cell}.sum.${op}.norm.${part}`);
      const expected = await difference(paths, supernet, fields, path, scales);
      expect(Math.abs(expected)).toBeGreaterThan(1e-4);
      expect(Math.abs(shares[cell]! - expected) / Math.abs(expected)).toBeLessThan(5e-3);
    }
  },
);

test("a step changes what is on the path, and nothing else", async () => {
  const { paths, supernet, fields } = small;
  const before = supernet.weights.slice();
  const means = Object.fromEntries(Object.entries(supernet.statistics).map(([name, data]) => [name, data.slice()]));
  const { trained } = await paths.weights({ c0: "near", c1: "none", c2: "point" }, fields, 1);
  const norm = await supernet.update(trained, { rate: 0.1, clip: 5 });
  expect(norm).toBeGreaterThan(0);
  const changed = supernet.layout.slots.filter(({ offset, length }) =>
    before.subarray(offset, offset + length).some((value, i) => value !== supernet.weights[offset + i]),
  );
  const onPath = /^(stem|head|c0\.sum\.near|c2\.sum\.point)\./;
  expect(changed.every(({ name }) => onPath.test(name))).toBe(true);
  expect(changed.map(({ name }) => name)).toContain("c0.sum.near.conv.weight");
  expect([...supernet.updates.keys()].sort()).toEqual([...trained].sort());
  for (const [name, data] of Object.entries(supernet.statistics))
    expect(
      data.some((value, i) => value !== means[name]![i]),
      name,
    ).toBe(onPath.test(name));
});

test("a gradient that is too long is shortened to the clip: Adam's first step shows its direction alone, its mean the length", async () => {
  const { paths, supernet, fields } = await openSpace(smallSpace, [4, 6, 6]);
  const { trained } = await paths.weights(smallSpace.usual, fields, 1);
  const norm = await supernet.update(trained, { rate: 0, clip: 0.01 });
  // mean ← 0.1 · g after the first update; weight decay adds 1e-3 · w to weights of two axes and more.
  const decayed = new Set(supernet.layout.slots.filter(({ shape }) => shape.length > 1).map(({ name }) => name));
  const mean = (name: string, i: number) => (supernet.view(supernet.state.mean!, name).data as Float32Array)[i]!;
  let sum = 0;
  for (const name of trained) {
    const weights = supernet.view(supernet.weights, name).data as Float32Array;
    for (const [i, w] of weights.entries()) sum += (mean(name, i) / 0.1 - (decayed.has(name) ? 1e-3 * w : 0)) ** 2;
  }
  expect(norm).toBeGreaterThan(0.01);
  expect(Math.sqrt(sum)).toBeCloseTo(0.01, 5);
});

test("paths met again are found compiled", async () => {
  const { paths, fields } = small;
  const path = { c0: "near", c1: "none", c2: "none" };
  await paths.shares(path, fields, 1);
  const compiled = paths.compiled;
  await paths.shares(path, fields, 2);
  expect(paths.compiled).toBe(compiled);
  await paths.weights(path, fields, 2);
  expect(paths.compiled).toBe(compiled + 1);
});

test("CovidNet3D's cells are found in its networks, first, later and last ones of a stage", async () => {
  const rest = [0, 1, 2, 3, 4].flatMap((stage) => [1, 2, 3].map((cell) => [`s${stage}_c${cell}`, ["zero"]] as const));
  const firsts = [1, 2, 3, 4, 5].map((stage) => [`s${stage}_c0`, ["identity"]] as const);
  const choices = {
    ...Object.fromEntries([...rest, ...firsts]),
    s0_c1: ["mbconv_3_3"],
    s0_c2: ["identity"],
    s1_c3: ["mbconv_3_4"],
  };
  const space = covidnetSpace({ outputs: 2, dropout: 0, choices: choices as never });
  const { paths, supernet, fields } = await openSpace(space, [8, 16, 16]);
  const path = {
    ...Object.fromEntries(Object.entries(choices as Record<string, string[]>).map(([cell, ops]) => [cell, ops[0]!])),
    s0_c0: "mbconv_3_3",
  };
  const { shares } = await paths.shares(path, fields, 3);
  expect(Object.keys(shares)).toHaveLength(21 - 12);
  const scalesOf: Record<string, string[]> = {
    s0_c0: ["stage0.0.mbconv_3_3.project.norm"],
    s0_c1: ["stage0.1.sum.mbconv_3_3.project.norm"],
    s1_c3: ["stage1.3.sum.mbconv_3_4.project.norm"],
    s1_c0: ["stage1.0.calibrate"], // identity in a first cell gives what the calibration does
  };
  for (const [cell, layers] of Object.entries(scalesOf)) {
    const scales = layers.flatMap((name) => [`${name}.weight`, `${name}.bias`]);
    const expected = await difference(paths, supernet, fields, path, scales);
    expect(Math.abs(shares[cell]! - expected), `${cell}: ${shares[cell]} ${expected}`).toBeLessThan(
      0.02 * Math.abs(expected) + 1e-5,
    );
  }
  // x + x: scaling the calibration scales both, so one share is half of that.
  const both = await difference(paths, supernet, fields, path, [
    "stage0.2.calibrate.weight",
    "stage0.2.calibrate.bias",
  ]);
  expect(Math.abs(shares.s0_c2! - both / 2)).toBeLessThan(0.02 * Math.abs(both / 2) + 1e-5);
});
