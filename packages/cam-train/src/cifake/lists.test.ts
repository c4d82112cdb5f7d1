import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePicture } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDataset } from "../data/open.ts";
import { writeObjects } from "./lists.ts";
import { objectOf, objects } from "./objects.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-cifake-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nameOf = (object: number, number = 1) => (object === 0 ? `${number}.jpg` : `${number} (${object + 1}).jpg`);

/** One picture of each kind, label and part. */
beforeAll(async () => {
  const rgb = new Uint8Array(32 * 32 * 3).fill(90);
  const bytes = await encodePicture({ width: 32, height: 32, rgb }, { format: "jpeg", quality: 95 });
  for (const part of ["train", "test"])
    for (const label of ["FAKE", "REAL"]) {
      mkdirSync(join(folder, part, label), { recursive: true });
      for (const [object] of objects.entries()) writeFileSync(join(folder, part, label, nameOf(object, 17)), bytes);
    }
});

test("a file's name tells what it shows", () => {
  expect(objectOf("test/REAL/0123.jpg")).toBe(0);
  expect(objectOf("test/REAL/0123 (10).jpg")).toBe(9);
  for (const name of ["0123 (11).jpg", "0123 (0).jpg", "cat.jpg", "12.png"])
    expect(() => objectOf(name)).toThrow(/no name of a CIFAKE picture/);
});

test("photographs by what they show", async () => {
  expect(await writeObjects(folder, { train: 1, test: 1 })).toBe(20);
  const path = join(folder, "objects.csv");
  const dataset = await openDataset(
    { kind: "list", path, split: "test" },
    { input: { layout: "NCHW", size: [32, 32] } },
  );
  expect(dataset).toMatchObject({ count: 10, classes: objects });
  expect(Array.from({ length: 10 }, (_, i) => dataset.labelOf(i)).sort()).toEqual(objects.map((_, i) => i));
  expect(dataset.idOf(0)).toMatch(/^test\/REAL\//);
  expect(dataset.labelOf(0)).toBe(objectOf(dataset.idOf(0)));
});

test("a folder that lacks pictures is refused, and says which", () =>
  expect(writeObjects(folder, { train: 2, test: 1 })).rejects.toThrow(
    /train: 1 pictures of FAKE, airplane, expected 2/,
  ));
