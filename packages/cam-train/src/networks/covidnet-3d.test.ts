import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { float32, type Graph, inferGraph, openSession, sizeOf } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { covidnet3d } from "./covidnet-3d.ts";
import { covidnetCells } from "./covidnet-cells.ts";
import { createNetwork } from "./create.ts";
import { readArchitecture } from "./read-architecture.ts";

/** Written in PyTorch from the paper's description, float64: scripts/golden/covidnet3d.py. */
type Case = {
  name: string;
  width: "small" | "large";
  cells: Record<string, string>;
  parameters: number;
  logits?: number[];
  sizes?: Record<string, number[]>;
};
const file = new URL("../../test/golden/covidnet3d.json", import.meta.url);
const { shape, cases } = JSON.parse(readFileSync(file, "utf8")) as { shape: number[]; cases: Case[] };

type Options = Parameters<typeof covidnet3d>[0];
const create = (options: Options, size: readonly (number | string)[] = shape): Graph =>
  createNetwork({
    name: "covid",
    input: { name: "volume", shape: ["n", ...size.slice(1)] },
    seed: 1,
    layers: covidnet3d(options),
  });

test.each(cases)("$name: as many parameters as PyTorch counts", ({ width, cells, parameters }) => {
  const { initializers } = create({ width, cells });
  const counted = [...initializers].filter(([name]) => /\.(weight|bias)$/.test(name));
  expect(counted.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)).toBe(parameters);
});

/** Element j of tensor p, in the order of PyTorch's state_dict, which is the order of initializers. */
const pattern = (j: number, p: number) => ((31 * j * j + 7919 * j + 104729 * p) % 2003) / 1001 - 1;

const scales: readonly [name: RegExp, scale: (value: number, fanIn: number) => number][] = [
  [/running_var$/, (value) => 1 + 0.5 * value],
  [/norm\.weight$/, (value) => 1 + 0.2 * value],
  [/weight$/, (value, fanIn) => value * Math.sqrt(3 / fanIn)],
  [/running_mean$|bias$/, (value) => 0.1 * value],
];

function fill(graph: Graph): void {
  let p = 0;
  for (const [name, { dtype, shape }] of graph.initializers) {
    const scale = scales.find(([pattern]) => pattern.test(name))?.[1];
    if (!scale) continue; // bounds of activations
    const fanIn = sizeOf(shape.slice(1));
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, j) => scale(pattern(j, p), fanIn));
    graph.initializers.set(name, { dtype, shape, byteLength: values.byteLength, bytes: new Uint8Array(values.buffer) });
    p++;
  }
}

test.each(cases.filter(({ logits }) => logits))("$name: PyTorch's logits", async ({ width, cells, logits, sizes }) => {
  const graph = create({ width, cells });
  fill(graph);
  const stages = Object.keys(sizes!);
  graph.outputs = ["logits", ...stages].map((name) => ({ name, dtype: "float32" }));
  const count = sizeOf(shape);
  const x = Float32Array.from({ length: count }, (_, j) => pattern(j, 5) * (j < count / 2 ? 1 : 0.3));
  const session = await openSession(graph, { threads: 1 });
  try {
    const found = await session.run({ volume: float32(shape, x) });
    for (const name of stages) expect(found[name]!.shape, name).toEqual([2, ...sizes![name]!]);
    const scale = Math.max(...logits!.map(Math.abs));
    for (const [i, value] of logits!.entries())
      expect(Math.abs((found.logits!.data as Float32Array)[i]! - value) / scale).toBeLessThan(1e-5);
  } finally {
    await session.close();
  }
});

test("with start shortcut, later cells begin as if they weren't there", async () => {
  const x = float32(
    [2, 1, 8, 16, 16],
    Float32Array.from({ length: 4096 }, (_, j) => pattern(j, 3)),
  );
  const logitsOf = async (options: object) => {
    const session = await openSession(create({ start: "shortcut", ...options }, ["n", 1, 8, 16, 16]), { threads: 1 });
    try {
      return [...((await session.run({ volume: x })).logits!.data as Float32Array)];
    } finally {
      await session.close();
    }
  };
  const later = covidnetCells.filter(({ cell }) => cell > 0).map(({ name }) => [name, "zero"]);
  const without = await logitsOf({ cells: Object.fromEntries(later) });
  expect(await logitsOf({})).toEqual(without.map((logit) => expect.closeTo(logit, 6)));
  expect(await logitsOf({ start: "pytorch" })).not.toEqual(without.map((logit) => expect.closeTo(logit, 6)));
});

// The map's grid by the input's: five steps that halve, rounded up.
test.each([
  [16, 64, [1, 2, 2]],
  [32, 128, [1, 4, 4]],
  [40, 256, [2, 8, 8]],
  [128, 256, [4, 8, 8]],
  [32, 512, [1, 16, 16]],
])("%i slices of %i² make maps of %o", (depth, side, grid) => {
  const graph = create({}, ["n", 1, depth, side, side]);
  const pool = graph.nodes.find(({ opType }) => opType === "GlobalAveragePool")!;
  expect(pool.inputs).toEqual(["mix"]);
  expect(inferGraph(graph).types.get("mix")!.shape).toEqual(["n", 1280, ...grid]);
});

test("an architecture is read from the authors' one-hot lists, too", () => {
  const oneHot = (at: number, length: number) => Array.from({ length }, (_, i) => Number(i === at));
  const named = { s0_c0: "mbconv_5_4", s0_c1: "identity", s1_c1: "zero", s1_c2: "zero" } as const;
  const lists = { s0_c0: oneHot(4, 9), s0_c1: oneHot(7, 10), s1_c1: oneHot(8, 10), s1_c2: oneHot(9, 10) };
  expect(covidnet3d({ cells: lists })).toEqual(covidnet3d({ cells: named }));
});

test("a file holds an architecture; what is wrong in it is listed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "camkit-architecture-"));
  const path = join(folder, "architecture.json");
  try {
    await writeFile(path, JSON.stringify({ s0_c0: "mbconv_7_4", s4_c3: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }));
    expect(await readArchitecture(path)).toEqual({ s0_c0: "mbconv_7_4", s4_c3: "zero" });
    await writeFile(path, JSON.stringify({ s0_c0: "zero", s1_c0: "zero" }));
    await expect(readArchitecture(path)).rejects.toThrow(/s0_c0: nothing would pass.*\n.*s1_c0: nothing would pass/);
    await writeFile(path, "s0_c0: zero");
    await expect(readArchitecture(path)).rejects.toThrow("is no JSON");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("another op in one cell changes no other cell's first weights", () => {
  const values = (graph: Graph) => [...graph.initializers.get("stage2.3.sum.mbconv_3_3.depthwise.conv.weight")!.bytes];
  expect(values(create({ cells: { s2_c1: "mbconv_7_4" } }))).toEqual(values(create({})));
});

test.each<[string, Record<string, unknown>, string]>([
  ["an unknown op", { s0_c0: "mbconv_9_9" }, "covidnet3d.cells.s0_c0: "],
  ["an unknown cell", { s5_c1: "identity" }, "covidnet3d.cells"],
  ["zero in a stage's first cell", { s3_c0: "zero" }, "covidnet3d.cells.s3_c0: nothing would pass"],
  ["a list with two ones", { s0_c0: [1, 1, 0, 0, 0, 0, 0, 0, 0] }, "covidnet3d.cells.s0_c0: "],
])("%s is refused with its place", (_, cells, message) => {
  expect(() => covidnet3d({ cells })).toThrow(message);
  expect(covidnetCells).toHaveLength(21);
});
