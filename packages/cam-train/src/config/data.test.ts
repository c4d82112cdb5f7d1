import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InputManifest } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import type { DataSpec } from "../data/spec.ts";
import { openParts } from "./data.ts";
import { checkConfig } from "./read.ts";
import { copiesOf } from "./results.ts";
import { openTestData } from "./test-data.ts";
import { writePhotos } from "./test-photos.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const input: InputManifest = { layout: "NCHW", size: [16, 16] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-parts-"));
  await writePhotos(at("photos"), 10, 1);
  await writePhotos(at("more"), 4, 2);
  await copyFile(at("photos/red/3.png"), at("more/red/3.png"));
  // Five patients with two pictures of each class.
  const rows = ["blue", "red"].flatMap((label) =>
    Array.from({ length: 10 }, (_, i) => `photos/${label}/${i}.png,${label},patient ${i % 5}`),
  );
  await writeFile(at("list.csv"), `path,label,group\n${rows.join("\n")}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const partsOf = (data: object, fold?: number) => {
  const { config } = checkConfig({ network: { preset: "cifake" }, data }, "parts", ".");
  return openParts(config, { input, model: undefined, warnings: [] }, fold);
};
const labelsOf = ({ dataset, indices }: { dataset: Dataset; indices?: readonly number[] }) =>
  (indices ?? Array.from({ length: dataset.count }, (_, i) => i)).map((i) => dataset.labelOf(i));

test("a held-out part has as much of each class; nothing is in both", async () => {
  const photos = { kind: "folder", path: at("photos") };
  const { train, validation } = await partsOf({ train: photos, validation: { fraction: 0.2 } });
  expect(labelsOf(validation!)).toEqual([0, 0, 1, 1]);
  expect([...train.indices!, ...validation!.indices!].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("folds by patient: each is tested once, and none is trained, watched and tested by in the same fold", async () => {
  const data = { train: { kind: "list", path: at("list.csv") }, folds: 5, validation: { fraction: 0.25 } };
  const tested: string[] = [];
  for (let fold = 0; fold < 5; fold++) {
    const { train, validation, tests } = await partsOf(data, fold);
    const patients = [train, validation!, tests[0]!].map(
      ({ dataset, indices }) => new Set(indices!.map((i) => dataset.groupOf(i)!)),
    );
    expect(patients.map(({ size }) => size)).toEqual([3, 1, 1]);
    expect(new Set(patients.flatMap((set) => [...set])).size).toBe(5);
    tested.push(...patients[2]!);
  }
  expect(tested.sort()).toEqual([0, 1, 2, 3, 4].map((i) => `patient ${i}`));
});

test("test data has the training data's class numbers; labels of another kind are refused", async () => {
  await writeFile(at("few.csv"), "path,label\nmore/red/1.png,red\n");
  const photos = { kind: "folder", path: at("photos") };
  const { tests } = await partsOf({ train: photos, test: { few: { kind: "list", path: at("few.csv") } } });
  expect(tests.map(({ name, dataset }) => [name, dataset.labelOf(0)])).toEqual([["few", 1]]);
  await writeFile(at("values.csv"), "path,age\nmore/red/1.png,3\n");
  await expect(
    partsOf({ train: photos, test: { kind: "list", path: at("values.csv"), targets: ["age"] } }),
  ).rejects.toThrow(/values\.csv has labels of the kind values, the training data class/);
});

test("copies are found by their bytes", async () => {
  const open = (path: string) =>
    openTestData({ kind: "folder", path }, { classes: ["blue", "red"], eachAlone: false }, input);
  const more = await open(at("more"));
  const copies = await copiesOf(await open(at("photos")), more);
  expect([...copies].map((i) => more.idOf(i))).toEqual(["red/3.png"]);
});

test("a model's classes in another order than the folders', some without pictures", async () => {
  const spec: DataSpec = { kind: "folder", path: at("more") };
  const found = await openTestData(spec, { classes: ["red", "green", "blue"], eachAlone: false }, input);
  expect(found.classes).toEqual(["red", "green", "blue"]);
  for (let i = 0; i < found.count; i++) expect(found.labelOf(i)).toBe(found.idOf(i).startsWith("red") ? 0 : 2);
  const alone = await openTestData(spec, { classes: ["red", "green", "blue"], eachAlone: true }, input);
  expect([alone.labelKind, alone.labelOf(0), alone.labelOf(7)]).toEqual(["multi-label", [1, 0, 0], [0, 0, 1]]);
  await expect(openTestData(spec, { classes: ["red", "green"], eachAlone: false }, input)).rejects.toThrow(
    /the model has no class "blue"/,
  );
});
