import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy, preparePicture } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { folderOf, input, picture, twoClasses } from "../../test/pictures.ts";
import { openFeeder } from "./feeder.ts";
import { type DatasetOptions, openDataset } from "./open.ts";
import type { DataSpec, ListSpec } from "./spec.ts";

const grey = (values: readonly number[]) => ({
  width: 4,
  height: 4,
  rgb: Uint8Array.from(values.flatMap((v) => [v, v, v])),
});
const first = async (spec: DataSpec, options: DatasetOptions) => {
  const dataset = await openDataset(spec, options);
  return (await openFeeder({ dataset, batch: dataset.count, workers: 0 }).batch(0, 0)).fields;
};

test("folders are classes in the order of their names; nested pictures count, other files are reported", async () => {
  const path = await folderOf({
    "cat/b.png": picture(8, 8, 1),
    "cat/more/a.PNG": picture(8, 8, 2),
    "cat/notes.txt": "",
    "Ant/z.png": picture(8, 8, 3),
    "readme.md": "",
  });
  const dataset = await openDataset({ kind: "folder", path }, { input });
  expect(dataset.classes).toEqual(["Ant", "cat"]);
  expect([0, 1, 2].map((i) => [dataset.idOf(i), dataset.labelOf(i)])).toEqual([
    ["Ant/z.png", 0],
    ["cat/b.png", 1],
    ["cat/more/a.PNG", 1],
  ]);
  expect(dataset.report.stray).toEqual(["readme.md", "cat/notes.txt"]);

  const chosen = await openDataset({ kind: "folder", path, classes: ["cat"] }, { input });
  expect(chosen.count).toBe(2);
  expect(chosen.report.stray).toContain("Ant/");
  expect(chosen.fingerprint).not.toBe(dataset.fingerprint);
});

test.each([
  [{ "a/1.png": picture(8, 8) }, {}, "expected one folder per class, found 1"],
  [{ "a/1.png": picture(8, 8) }, { classes: ["a", "b"] }, 'no folder for the class "b"'],
  [{ "a/1.png": picture(8, 8), "b/1.txt": "" }, {}, "no pictures of this class"],
])("a folder that can't be used is refused (%#)", async (files, extra, message) => {
  const path = await folderOf(files as never);
  await expect(openDataset({ kind: "folder", path, ...extra }, { input })).rejects.toThrow(message);
  await expect(openDataset({ kind: "folder", path: join(path, "none") }, { input })).rejects.toMatchObject({
    code: "file",
  });
});

test("unreadable pictures are left out when asked, and listed", async () => {
  const path = await folderOf({
    "a/1.png": "no",
    "a/2.png": picture(8, 8, 2),
    "b/1.png": picture(8, 8, 1),
    "b/2.png": "",
  });
  const dataset = await openDataset({ kind: "folder", path, skipUnreadable: true }, { input });
  expect(dataset.count).toBe(2);
  expect(dataset.report.unreadable).toEqual([
    { id: "a/1.png", reason: expect.stringContaining("not a picture in a known format") },
    { id: "b/2.png", reason: expect.stringContaining("an empty file is no picture") },
  ]);
});

test("pictures are resized as cam-core does, and those of the model's size are taken as they are", async () => {
  const [small, large] = [picture(8, 8, 1), picture(21, 13, 2)];
  const path = await folderOf({ "a/1.png": small, "b/1.png": large });
  const fields = await first({ kind: "folder", path }, { input });
  const resized = preparePicture(large, input).tensor.data as Uint8Array;
  expect(fields.input!.data).toEqual(new Uint8Array([...small.rgb, ...resized]));

  const bgr = await first({ kind: "folder", path }, { input: { ...input, channelOrder: "BGR" } });
  expect(bgr.input!.data).toEqual(
    (fields.input!.data as Uint8Array).map((_, i, rgb) => rgb[i - (i % 3) + 2 - (i % 3)]!),
  );
  const mono = await first({ kind: "folder", path }, { input: { ...input, channelOrder: "grey" } });
  expect(mono.input!.shape).toEqual([2, 8, 8, 1]);
  // ITU-R 601: 0.299 R + 0.587 G + 0.114 B of the first pixel, (24, 68, 126) = 61.45
  expect(Array.from(small.rgb.subarray(0, 3))).toEqual([24, 68, 126]);
  expect(mono.input!.data[0]).toBe(61);
  // Short side 16, then the middle: the picture has the model's size but is not taken as it is.
  const cropped = {
    ...input,
    resize: { kernel: "bilinear", antialias: true, fit: "short-side", resizeTo: 16 },
  } as const;
  const zoomed = await first({ kind: "folder", path }, { input: cropped });
  expect(Array.from(zoomed.input!.data as Uint8Array).slice(0, 192)).toEqual(
    Array.from(preparePicture(small, cropped).tensor.data as Uint8Array),
  );
});

test("inputs that pictures can't fill are refused", async () => {
  const path = await twoClasses(2);
  await expect(openDataset({ kind: "folder", path })).rejects.toThrow("pictures need to know their size");
  const volume = { layout: "NCDHW", size: [4, 8, 8] } as const;
  await expect(openDataset({ kind: "folder", path }, { input: { ...volume, size: [4, 8, 8] } })).rejects.toThrow(
    "the model's input is NCDHW of size [4, 8, 8]",
  );
});

const pictures = Object.fromEntries([0, 1, 2, 3].map((i) => [`in/${i}.png`, picture(8, 8, i)]));
const listOf = async (csv: string, extra: Partial<ListSpec> = {}) => {
  const root = await folderOf({ ...pictures, "list.csv": csv });
  return openDataset({ kind: "list", path: join(root, "list.csv"), ...extra }, { input });
};
const labelsOf = ({ count, labelOf }: Awaited<ReturnType<typeof listOf>>) =>
  Array.from({ length: count }, (_, i) => labelOf(i));

test("a list names its classes, or numbers them", async () => {
  const named = await listOf('path,label,group\nin/0.png,"dog, big",p1\nin/1.png,cat,p1\nin/2.png,cat,p2\n');
  expect(named.classes).toEqual(["cat", "dog, big"]);
  expect(labelsOf(named)).toEqual([1, 0, 0]);
  expect([0, 1, 2].map(named.groupOf)).toEqual(["p1", "p1", "p2"]);
  const numbered = await listOf("path,label\nin/0.png,3\nin/1.png,0\n");
  expect(numbered.classes).toEqual(["0", "1", "2", "3"]);
  expect(labelsOf(numbered)).toEqual([3, 0]);
  // The training data's classes, names or numbers, for a part that doesn't hold all of them.
  const part = await listOf("path,label\nin/0.png,cat\nin/1.png,2\n", { classes: ["ant", "cat", "dog"] });
  expect(labelsOf(part)).toEqual([1, 2]);
});

test("a list has several labels a picture, or numbers to predict, and a split", async () => {
  const several = await listOf("path,label\nin/0.png,b|a\nin/1.png,\nin/2.png,c\n");
  expect(several).toMatchObject({ labelKind: "multi-label", classes: ["a", "b", "c"] });
  expect(labelsOf(several)).toEqual([[1, 1, 0], [0, 0, 0], [0, 0, 1]]); // biome-ignore format: rows
  expect(several.fields.label).toEqual({ dtype: "float32", shape: [3] });
  const values = await listOf("path,x,y\nin/0.png,1.5,-2\nin/1.png,0,1e3\n", { targets: ["y", "x"] });
  expect(values).toMatchObject({ labelKind: "values", classes: undefined });
  expect(labelsOf(values)).toEqual([[-2, 1.5], [1000, 0]]); // biome-ignore format: rows
  const rows = "path,label,split\nin/0.png,a,train\nin/1.png,b,train\nin/2.png,a,test\n";
  expect(await listOf(rows, { split: "train" }).then(({ count }) => count)).toBe(2);
});

test("masks follow their pictures", async () => {
  // 4 x 4, doubled to the model's 8 x 8: 127 is outside, 128 inside.
  const mask = grey([0, 0, 0, 0, 0, 255, 128, 0, 0, 127, 255, 0, 0, 0, 0, 0]);
  const root = await folderOf({
    "p.png": picture(4, 4),
    "m.png": mask,
    "list.csv": "path,label,mask\np.png,0,m.png\n",
  });
  const spec = { kind: "list", path: join(root, "list.csv") } as const;
  const { mask: found } = await first(spec, { input });
  expect(found!.shape).toEqual([1, 8, 8]);
  const row = (...cells: number[]) => cells.flatMap((cell) => [cell, cell]);
  const [none, above, below] = [row(0, 0, 0, 0), row(0, 1, 1, 0), row(0, 0, 1, 0)];
  expect(Array.from(found!.data as Uint8Array)).toEqual([none, none, above, above, below, below, none, none].flat());
  const odd = await folderOf({ "p.png": picture(6, 4), "m.png": mask, "list.csv": "path,label,mask\np.png,0,m.png\n" });
  await expect(first({ ...spec, path: join(odd, "list.csv") }, { input })).rejects.toThrow(
    "p.png: a picture of 6 x 4 with a mask of 4 x 4, m.png",
  );
});

test.each([
  ["path\nin/0.png\n", {}, 'no column "label"'],
  ["path,label\n", {}, "no rows"],
  ["path,label\n,a\n", {}, "line 2: no path"],
  ["path,label\nin/0.png,a\nin/1.png,b\n", { classes: ["a"] }, 'line 3: the label "b" is none of the 1 classes'],
  ["path,label\nin/0.png,1\n", { classes: ["a"] }, 'line 2: the label "1" is none'],
  ["path,label\nin/0.png,\n", {}, 'line 2: the label "" is none'],
  ["path,x\nin/0.png,\n", { targets: ["x"] }, 'line 2: "" in column "x" is no number'],
  ["path,label,split\nin/0.png,a,train\n", { split: "val" }, 'no rows whose split is "val"'],
])("a list that can't be used is refused: %j", async (csv, extra, message) => {
  await expect(listOf(csv, extra)).rejects.toThrow(message);
});

test("arrays are pictures or finished tensors", async () => {
  const root = await folderOf({
    "pictures.npy": encodeNpy({ dtype: "uint8", shape: [2, 2, 2, 1], data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }),
    "tensors.npy": encodeNpy({ dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }),
    "classes.npy": encodeNpy({ dtype: "int64", shape: [2], data: BigInt64Array.of(2n, 0n) }),
    "several.npy": encodeNpy({ dtype: "bool", shape: [2, 2], data: Uint8Array.of(1, 0, 1, 1) }),
    "half.npy": encodeNpy({ dtype: "float16", shape: [2], data: Uint16Array.of(15360, 16384) }),
    "missing.npy": encodeNpy({ dtype: "float32", shape: [2], data: Float32Array.of(1, Number.NaN) }),
    "ids.npy": encodeNpy({ dtype: "int64", shape: [2], data: BigInt64Array.of(0n, 5_000_000_000n) }),
    "pairs.npy": encodeNpy({ dtype: "int64", shape: [2, 2], data: BigInt64Array.of(0n, 1n, 0n, 2n) }),
    "values.npy": encodeNpy({ dtype: "float64", shape: [2], data: Float64Array.of(0.5, -1) }),
  });
  const at = (name: string) => join(root, `${name}.npy`);
  const spec = (inputs: string, labels: string) => ({ kind: "npy", inputs: at(inputs), labels: at(labels) }) as const;
  const size = { layout: "NHWC", size: [2, 2] } as const;
  const manifest = { ...size, size: [2, 2] as [number, number], channelOrder: "grey" as const };
  const two = await first(spec("pictures", "classes"), { input: manifest });
  expect(two.input).toEqual({ dtype: "uint8", shape: [2, 2, 2, 1], data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
  expect(two.label).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(2n, 0n) });

  const dataset = await openDataset({ ...spec("tensors", "several"), groups: at("classes") });
  expect([0, 1].map(dataset.groupOf)).toEqual(["2", "0"]);
  expect(dataset.labelOf(1)).toEqual([1, 1]);
  const three = await first(spec("tensors", "values"), {});
  expect(three.input).toEqual({ dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  expect(three.label).toEqual({ dtype: "float32", shape: [2, 1], data: Float32Array.of(0.5, -1) });

  await expect(openDataset({ ...spec("tensors", "classes"), classes: ["a", "b"] })).rejects.toThrow(
    "labels from 0 to 2, expected 0 to 1",
  );
  await expect(openDataset(spec("values", "classes"))).rejects.toThrow("float64 [2]");
  await expect(openDataset(spec("tensors", "half"))).rejects.toThrow("is float16");
  await expect(openDataset(spec("tensors", "missing"))).rejects.toThrow("label 1 is NaN");
  await expect(openDataset(spec("tensors", "ids"))).rejects.toThrow("are these classes?");
  const groups = { ...spec("tensors", "classes"), groups: at("pairs") };
  await expect(openDataset(groups)).rejects.toThrow("expected [2]: a group each");
  await expect(openDataset(spec("tensors", "pictures"))).rejects.toThrow("expected [2] or [2, K]");
  expect(() => openFeeder({ dataset, batch: 1, augment: [{ kind: "flip" }] })).toThrow("augmentation needs pictures");
});

test("a generator takes options and tells labels, or says that it doesn't", async () => {
  const code = `export const phantom = async ({ count }) => ({
    count, classes: ["dark", "bright"],
    fields: { input: { dtype: "uint8", shape: [8, 8, 1] }, label: { dtype: "int64", shape: [] }, where: { dtype: "float32", shape: [2] } },
    labelOf: (i) => i % 2,
    load: (i) => ({
      input: { dtype: "uint8", shape: [8, 8, 1], data: new Uint8Array(64).fill(100 * (i % 2)) },
      label: { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(i % 2)) },
      where: { dtype: "float32", shape: [2], data: Float32Array.of(i, 0) },
    }) });`;
  const url = join(await folderOf({ "phantom.mjs": code }), "phantom.mjs");
  const spec = { kind: "module", url, export: "phantom", options: { count: 3 } } as const;
  const dataset = await openDataset(spec, { input: { ...input, channelOrder: "grey" } });
  expect(dataset).toMatchObject({ count: 3, classes: ["dark", "bright"], labelKind: "class" });
  expect(dataset.labelOf(1)).toBe(1);
  const { batch, close } = openFeeder({ dataset, batch: 3, workers: 1 });
  const { fields } = await batch(0, 0);
  expect(fields.where).toEqual({ dtype: "float32", shape: [3, 2], data: Float32Array.of(0, 0, 1, 0, 2, 0) });
  expect(fields.label!.data).toEqual(BigInt64Array.of(0n, 1n, 0n));
  await close();

  await expect(openDataset({ ...spec, export: "ghost" })).rejects.toThrow('the export "ghost"');
  await expect(openDataset({ ...spec, url: `${url}.js` })).rejects.toThrow("can't be loaded");
  await expect(openDataset(spec, { input: { ...input, size: [9, 9] } })).rejects.toThrow("the model takes [9, 9]");
});

test.each([0, 1])("a generator may give the same memory again and again (%i workers)", async (workers) => {
  const code = `const data = new Float32Array(1); const number = new BigInt64Array(1);
  export default { count: 8, classes: ["even", "odd"],
    fields: { input: { dtype: "float32", shape: [1] }, label: { dtype: "int64", shape: [] } },
    load: async (i) => {
      await new Promise((resolve) => setTimeout(resolve, 8 - i)); // later ones would come first
      data[0] = i; number[0] = BigInt(i % 2);
      return { input: { dtype: "float32", shape: [1], data }, label: { dtype: "int64", shape: [], data: number } };
    } };`;
  const url = join(await folderOf({ "reuses.mjs": code }), "reuses.mjs");
  const { batch, close } = openFeeder({ dataset: await openDataset({ kind: "module", url }, {}), batch: 8, workers });
  const { fields } = await batch(0, 0);
  expect(Array.from(fields.input!.data as Float32Array)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(Array.from(fields.label!.data as BigInt64Array, Number)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  await close();
});

test("a generator's labels are numbers of its classes", async () => {
  const made = (label: number, labelOf: string) => `export default { count: 1, classes: ["a", "b"], ${labelOf}
    fields: { input: { dtype: "float32", shape: [] }, label: { dtype: "int64", shape: [] } },
    load: () => ({ input: { dtype: "float32", shape: [], data: Float32Array.of(0) }, label: { dtype: "int64", shape: [], data: BigInt64Array.of(${label}n) } }) };`;
  const folder = await folderOf({ "told.mjs": made(0, "labelOf: () => 2,"), "made.mjs": made(-1, "") });
  const open = (name: string) => openDataset({ kind: "module", url: join(folder, name) }, {});
  await expect(open("told.mjs")).rejects.toThrow("the label of sample 0 is 2, expected 0 to 1");
  const { batch, close } = openFeeder({ dataset: await open("made.mjs"), batch: 1 });
  await expect(batch(0, 0)).rejects.toThrow("sample 0: its label is -1, expected 0 to 1");
  await close();
});

test("lists say what they mean: text as UTF-8, numbers that are names, targets that are numbers", async () => {
  const folder = await folderOf({ "in/0.png": picture(8, 8) });
  const list = async (bytes: Uint8Array | string, more = {}) => {
    writeFileSync(join(folder, "list.csv"), bytes);
    return openDataset({ kind: "list", path: join(folder, "list.csv"), ...more }, { input });
  };
  const latin = Uint8Array.from("path,label\nin/0.png,m\xe4nnlich\n", (char) => char.charCodeAt(0));
  await expect(list(latin)).rejects.toThrow("isn't UTF-8 text");
  const years = { classes: ["1", "2", "3"] };
  expect((await list("path,label\nin/0.png,3\n", years)).labelOf(0)).toBe(2);
  await expect(list("path,label\nin/0.png,0\n", years)).rejects.toThrow('the label "0" is none of the 3 classes');
  await expect(list('path,ml\nin/0.png," "\n', { targets: ["ml"] })).rejects.toThrow("is no number");
});

test("the fingerprint stays with the data and changes with names and labels", async () => {
  const print = async (csv: string) => (await listOf(csv)).fingerprint;
  const csv = "path,label\nin/0.png,a\nin/1.png,b\n";
  expect(await print(csv)).toBe(await print(csv));
  expect(await print("path,label\nin/0.png,b\nin/1.png,a\n")).not.toBe(await print(csv));
  expect(await print("path,label\nin/1.png,a\nin/0.png,b\n")).not.toBe(await print(csv));
});
