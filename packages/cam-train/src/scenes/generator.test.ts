import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawScene, sceneLabels } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDataset } from "../data/open.ts";
import scenes from "./generator.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-scenes-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const first = 1_000_000;

test("a sample is the scene of its seed: pixels, what is there, one object and its mask", async () => {
  const { load, labelOf, fields } = scenes({ first, count: 6 });
  for (let i = 0; i < 6; i++) {
    const sample = await load(i);
    const scene = drawScene(first + i);
    for (const [name, { dtype, shape }] of Object.entries(fields)) expect(sample[name]).toMatchObject({ dtype, shape });
    expect(sample.input!.data).toEqual(scene.image);
    expect([...(sample.label!.data as Float32Array)]).toEqual(labelOf!(i));
    expect(labelOf!(i)).toEqual(sceneLabels.map((label) => Number(scene.objects.some((o) => o.label === label))));
    const object = scene.objects.find(({ classIndex }) => classIndex === Number(sample.object!.data[0]))!;
    expect(sample.mask!.data).toEqual(object.mask);
  }
});

test("what was drawn is kept, and a record that was cut off is drawn again", async () => {
  const keep = join(folder, "drawn");
  const anew = scenes({ first, count: 3 });
  const kept = scenes({ first, count: 3, keep });
  const expected = [await anew.load(0), await anew.load(1), await anew.load(2)];
  expect(await kept.load(2)).toEqual(expected[2]); // beyond the file's end, a hole before it
  expect(await kept.load(0)).toEqual(expected[0]);
  const [name] = await readdir(keep);
  const file = join(keep, name!);
  expect((await readFile(file)).length).toBe(3 * (4 * 96 * 96 + 1));
  await truncate(file, 2 * (4 * 96 * 96 + 1) + 1000);
  const again = scenes({ first, count: 3, keep });
  for (const i of [0, 1, 2]) expect(await again.load(i)).toEqual(expected[i]);
});

test("it is a data set of several labels, counted without drawing", async () => {
  const url = new URL("../../dist/scenes/generator.js", import.meta.url).href;
  const dataset = await openDataset({ kind: "module", url, options: { first, count: 32_000 } });
  expect(dataset).toMatchObject({ count: 32_000, labelKind: "multi-label", classes: sceneLabels });
});

test("options that don't fit are refused by name", () => {
  expect(() => scenes({ first, count: 0 })).toThrow("scenes.count: ");
  expect(() => scenes({ first, count: 1, from: 2 } as never)).toThrow('"from"');
});
