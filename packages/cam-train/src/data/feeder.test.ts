import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { folderOf, input, picture, twoClasses } from "../../test/pictures.ts";
import type { Batch } from "./batch.ts";
import { type Feeder, type FeederOptions, openFeeder } from "./feeder.ts";
import { openDataset } from "./open.ts";
import type { FileSource } from "./source.ts";

const feeder = (options: FeederOptions): Feeder => {
  const opened = openFeeder(options);
  onTestFinished(() => opened.close());
  return opened;
};

const open = async (count: number, cacheBytes?: number) => {
  const path = await twoClasses(count);
  return openDataset({ kind: "folder", path }, { input, ...(cacheBytes !== undefined && { cacheBytes }) });
};

const bytes = ({ fields, indices }: Batch) => [
  Array.from(fields.input!.data as Uint8Array),
  Array.from(fields.label!.data as BigInt64Array, Number),
  indices,
];

const augment = [{ kind: "flip", horizontal: 0.5, vertical: 0.5 }] as const;

test("a batch holds the pictures' bytes and labels side by side, the last what is left", async () => {
  const dataset = await open(5);
  const { batch, stepsPerEpoch, fields } = feeder({ dataset, batch: 2 });
  expect(stepsPerEpoch).toBe(3);
  expect(fields).toEqual({ input: { dtype: "uint8", shape: [8, 8, 3] }, label: { dtype: "int64", shape: [] } });
  // Folder a holds 0, 2, 4, folder b 1 and 3; in the order of names that is 0 2 4 1 3.
  expect(await batch(0, 1)).toEqual({
    fields: {
      input: {
        dtype: "uint8",
        shape: [2, 8, 8, 3],
        data: new Uint8Array([...picture(8, 8, 4).rgb, ...picture(8, 8, 1).rgb]),
      },
      label: { dtype: "int64", shape: [2], data: BigInt64Array.of(0n, 1n) },
    },
    indices: [2, 3],
  });
  expect((await batch(0, 2)).fields.input?.shape).toEqual([1, 8, 8, 3]);
  expect((await batch(0, 0)).indices).toEqual([0, 1]); // back again
  expect(feeder({ dataset, batch: 2, dropLast: true }).stepsPerEpoch).toBe(2);
});

test("the same bytes whatever the number of workers, what is cached, and where one begins", async () => {
  const dataset = await open(13);
  const uncached = await open(13, 0);
  expect(uncached.source).toMatchObject({ cache: undefined });
  const options = { batch: 4, seed: 3, shuffle: true, augment };
  const all = async (feeder: Feeder) => {
    const found = [];
    for (const epoch of [0, 1, 2])
      for (let step = 0; step < feeder.stepsPerEpoch; step++) found.push(bytes(await feeder.batch(epoch, step)));
    return found;
  };
  const expected = await all(feeder({ ...options, dataset: uncached, workers: 0 }));
  expect(await all(feeder({ ...options, dataset, workers: 1, ahead: 5 }))).toEqual(expected);
  expect(await all(feeder({ ...options, dataset: uncached, workers: 3 }))).toEqual(expected);
  // A run that goes on from step 2 of epoch 1, and one that jumps about.
  const resumed = feeder({ ...options, dataset, workers: 2 });
  for (const at of [6, 7, 8, 3, 11, 0]) {
    const [epoch, step] = [Math.floor(at / 4), at % 4];
    expect(bytes(await resumed.batch(epoch, step))).toEqual(expected[at]);
  }
  expect(await all(feeder({ ...options, dataset, seed: 4, workers: 1 }))).not.toEqual(expected);
});

test("an epoch holds every chosen sample once, each epoch in its own order", async () => {
  const dataset = await open(9);
  const indices = [8, 0, 3, 5, 7, 2];
  const shuffled = feeder({ dataset, indices, batch: 6, shuffle: true, seed: 1, workers: 0 });
  const orders = await Promise.all([0, 1, 2].map(async (epoch) => (await shuffled.batch(epoch, 0)).indices));
  for (const order of orders) expect([...order].sort()).toEqual([...indices].sort());
  expect(new Set(orders.map(String)).size).toBe(3);
  const straight = feeder({ dataset, indices, batch: 4, workers: 0 });
  expect((await straight.batch(7, 0)).indices).toEqual([8, 0, 3, 5]);
});

test("what a sample becomes differs between epochs, and not with its place in a batch", async () => {
  const dataset = await open(2);
  const of = async (indices: number[], epoch: number) => {
    const { fields } = await feeder({ dataset, indices, batch: 2, seed: 5, augment, workers: 0 }).batch(epoch, 0);
    const data = fields.input?.data as Uint8Array;
    return Array.from(data.subarray(192 * indices.indexOf(1), 192 * (indices.indexOf(1) + 1)));
  };
  expect(await of([0, 1], 2)).toEqual(await of([1, 0], 2));
  const epochs = await Promise.all(Array.from({ length: 12 }, (_, epoch) => of([0, 1], epoch)));
  expect(new Set(epochs.map(String)).size).toBe(4); // both axes, flipped or not
});

test("batches are made ahead, and belong to whoever takes them", async () => {
  const dataset = await open(12);
  const { batch } = feeder({ dataset, batch: 2, workers: 1, ahead: 3 });
  const first = (await batch(0, 0)).fields.input!.data as Uint8Array;
  expect(first.buffer).toBeInstanceOf(ArrayBuffer); // not shared memory, which ONNX Runtime refuses
  // Nobody asked for batches 1 to 3, yet their pictures get decoded; batches 4 and 5 aren't begun.
  const filled = new Int32Array((dataset.source as FileSource).cache!.filled);
  await expect.poll(() => Array.from(filled), { timeout: 10_000 }).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  first.fill(0);
  expect(bytes(await batch(1, 0))[0]).toEqual([...picture(8, 8, 0).rgb, ...picture(8, 8, 2).rgb]);
});

test("a picture that can't be read is named, and the others still come", async () => {
  const path = await twoClasses(8);
  writeFileSync(join(path, "a/002.png"), "not a picture");
  const dataset = await openDataset({ kind: "folder", path }, { input });
  for (const workers of [0, 1]) {
    const { batch } = feeder({ dataset, batch: 2, workers });
    await expect(batch(0, 0)).rejects.toMatchObject({
      code: "data",
      message: expect.stringMatching(/^a\/002\.png: not a picture in a known format/),
      hint: expect.stringContaining("JPEG"),
    });
    expect((await batch(0, 1)).indices).toEqual([2, 3]);
  }
  rmSync(join(path, "b/007.png"));
  await expect(feeder({ dataset, batch: 2, workers: 0 }).batch(0, 3)).rejects.toThrow("b/007.png: no such file");
});

const generator = (load: string) =>
  `export default () => ({ count: 4, fields: { input: { dtype: "float32", shape: [2] }, label: { dtype: "int64", shape: [] } },
     load(index) { ${load} } })`;
const good = `return { input: { dtype: "float32", shape: [2], data: Float32Array.of(index, 0.5) }, label: { dtype: "int64", shape: [], data: BigInt64Array.of(1n) } };`;

test.each([
  ["throws", `if (index === 1) throw new Error("no phantom"); ${good}`, "data", /^sample 1: no phantom/],
  ["makes something else", `return { input: { dtype: "float32", shape: [3] } };`, "data", /"input" is float32 \[3\]/],
  ["ends its thread", "process.exit(3);", "worker", /ended with code 3/],
  [
    "fails outside of a batch",
    `setTimeout(() => { throw new Error("late"); }); return new Promise(() => {});`,
    "worker",
    /failed: late/,
  ],
])("a generator that %s is an error of the batch, and closing works", async (_, load, code, message) => {
  const root = await folderOf({ "phantom.mjs": generator(load) });
  const dataset = await openDataset({ kind: "module", url: join(root, "phantom.mjs") });
  const opened = feeder({ dataset, batch: 2, workers: code === "worker" ? 1 : 0 });
  await expect(opened.batch(0, 0)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await opened.close();
});

test("closing and aborting reject what is waited for, at once", async () => {
  const root = await folderOf({ "slow.mjs": generator(`return new Promise(() => {})`) });
  const dataset = await openDataset({ kind: "module", url: pathToFileURL(join(root, "slow.mjs")).href });
  const closing = feeder({ dataset, batch: 2, workers: 2 });
  const waited = expect(closing.batch(0, 0)).rejects.toMatchObject({ code: "aborted" });
  await closing.close();
  await waited;
  await expect(closing.batch(0, 1)).rejects.toMatchObject({ code: "aborted" });

  const controller = new AbortController();
  const aborted = feeder({ dataset, batch: 2, workers: 1, signal: controller.signal });
  const pending = expect(aborted.batch(0, 0)).rejects.toMatchObject({ code: "aborted" });
  controller.abort();
  await pending;
  await expect(feeder({ dataset, batch: 2, signal: AbortSignal.abort() }).batch(0, 0)).rejects.toThrow("interrupted");
});

test("workers are ended while they decode, and a process that forgets to end them still ends", async () => {
  const dataset = await open(60, 0);
  for (let i = 0; i < 3; i++) {
    const opened = openFeeder({ dataset, batch: 20, workers: 1, ahead: 4 });
    opened.batch(0, 0).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 250 * i));
    await opened.close();
  }
  const path = await twoClasses(4);
  const script = `
    const { openDataset } = await import(${JSON.stringify(new URL("../../dist/data/open.js", import.meta.url).href)});
    const { openFeeder } = await import(${JSON.stringify(new URL("../../dist/data/feeder.js", import.meta.url).href)});
    const dataset = await openDataset({ kind: "folder", path: ${JSON.stringify(path)} }, { input: ${JSON.stringify(input)} });
    const { indices } = await openFeeder({ dataset, batch: 2, workers: 1 }).batch(0, 0);
    const closed = openFeeder({ dataset, batch: 4, workers: 1 });
    await closed.batch(0, 0);
    await closed.close();
    openFeeder({ dataset, batch: 4, workers: 1 }); // never asked for anything
    console.log(indices.join());`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  expect(out.toString()).toBe("0,1\n");
});

test("options that don't fit are refused", async () => {
  const dataset = await open(4);
  const refused = (options: Partial<FeederOptions>) => () => openFeeder({ dataset, batch: 2, ...options });
  expect(refused({ batch: 0 })).toThrow("batch is 0, expected a whole number from 1");
  expect(refused({ indices: [0, 4] })).toThrow("sample 4 of a data set of 4");
  expect(refused({ batch: 5, dropLast: true })).toThrow("4 samples don't make one batch of 5");
  expect(refused({ augment: [{ kind: "flip", horizontal: 2 }] })).toThrow(/augment\.0\.horizontal: /);
  expect(refused({ indices: [] })).toThrow("0 samples");
});
