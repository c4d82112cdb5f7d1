import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadModel } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunDocument } from "./document.ts";
import { withPaths } from "./paths.ts";
import { readConfig } from "./read.ts";
import { prepareRun } from "./recipe.ts";
import { refuseRun, runConfig } from "./run.ts";
import type { Config } from "./schema.ts";
import { openTestData } from "./test-data.ts";
import { testModel } from "./test-model.ts";
import { writePhotos } from "./test-photos.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const labelled = { generator: "camkit 0.1.0", time: "now" };

async function ready(settings: Record<string, unknown>): Promise<Config> {
  const base = {
    network: { preset: "cifake", filters: 4, units: 8 },
    ...("network" in settings ? {} : { input: { size: [16, 16] } }),
    data: { train: "train", validation: { fraction: 0.25 } },
    ...{ batch: 6, epochs: 2, rate: 0.01, loss: "binary", threads: 1, workers: 0 },
  };
  await writeFile(at("config.json"), JSON.stringify(base));
  const asked = Object.entries(settings).map(([key, value]) => ({ key, value: value as never }));
  const { config, name, folder: from } = await readConfig(at("config.json"), asked);
  return withPaths({ ...config, name }, (path) => resolve(from, path));
}

const onModel = { network: { model: "first/model.onnx" }, loss: "crossEntropy" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-prepare-"));
  await writePhotos(at("train"), 24, 1);
  // Its classes are in another order than folders are read in.
  const ordered = { "data.train": { kind: "folder", path: "train", classes: ["red", "blue"] } };
  const first = await ready({ ...ordered, loss: "crossEntropy", epochs: 12, monitor: "accuracy" });
  await runConfig(first, { out: at("first"), ...labelled });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["numbers for another count of channels", { "input.mean": [0.5], "input.std": [0.5] }, /mean: expected 3 numbers/],
  ["a range without extent", { "input.range": [1, 1] }, /pixel 0 and pixel 255 become the same/],
  ["another size than the model's", { ...onModel, "input.size": [32, 32] }, /but the model takes \[n, 3, 16, 16\]/],
  ["other channels", { ...onModel, "input.channelOrder": "grey" }, /the model takes 3 channels/],
  ["a metric of other labels", { monitor: "mae" }, /monitor: mae needs regression, the labels are classes/],
  [
    "a metric with nothing to watch",
    { monitor: "accuracy", data: { train: "train" } },
    /monitor: there are no validation samples/,
  ],
  ["patience with nothing to watch", { patience: 2, data: { train: "train" } }, /patience: there are no validation/],
  ["a temperature of nothing", { calibrate: true, data: { train: "train" } }, /calibrate: there are no validation/],
  [
    "classes in another order than the model's",
    { ...onModel, "data.train": { kind: "folder", path: "train", classes: ["blue", "red"] } },
    /the model answers in the order red, blue/,
  ],
  [
    "mixed labels for a loss of class numbers",
    { loss: "focal", mix: { kind: "mixup" } },
    /mix: focal takes class numbers/,
  ],
  ["one fold more than there are", { "data.folds": { count: 3, only: 4 } }, /data\.folds: there are 3, not 4/],
  ["a test set by a name that is taken", { "data.test": { validation: "train" } }, /can't be called "validation"/],
])("refused before the first step: %s", async (_, settings, message) => {
  await expect(prepareRun(await ready(settings))).rejects.toThrow(message);
});

test("going on from a model keeps the order of its classes", async () => {
  const config = await ready({ ...onModel, rate: 1e-7, epochs: 1, monitor: "accuracy" });
  const { document } = (await runConfig(config, { out: at("on"), ...labelled })) as {
    document: RunDocument;
  };
  expect(document.classes).toEqual(["red", "blue"]);
  expect(document.measured[0]!.metrics.find(({ name }) => name === "auc")!.value).toBeGreaterThan(0.9);
});

test("a new head for a binary loss has one output", async () => {
  const config = await ready({ network: { model: "first/model.onnx", head: "replace" } });
  const { recipe } = await prepareRun(config);
  expect(recipe.graph.outputs[0]!.shape).toEqual(["n", 1]);
});

test("a finished run is measured again where other things are asked of the same weights", async () => {
  const out = at("measured-again");
  await runConfig(await ready({}), { out, ...labelled });
  const model = await readFile(join(out, "model.onnx"));
  const again = { out, ...labelled, resume: true };
  expect(await runConfig(await ready({}), again)).toMatchObject({ state: "already" });
  const tested = await ready({ "data.test": "train", "manifest.licence": "MIT" });
  expect(await runConfig(tested, again)).toMatchObject({ state: "finished" });
  const manifest = JSON.parse(await readFile(join(out, "model.camkit.json"), "utf8"));
  expect(manifest.licence).toBe("MIT");
  expect(manifest.results["test/accuracy"].data).toBe("48 samples");
  expect((await readFile(join(out, "model.onnx"))).equals(model)).toBe(true);
  await writePhotos(at("others"), 13, 9);
  await expect(runConfig(await ready({ "data.train": "others" }), again)).rejects.toThrow(/from another run/);
  await expect(refuseRun(out)).rejects.toThrow(/a finished run lies here/);
});

test("copies that are all there is leave out a line, not the run", async () => {
  const config = await ready({ "data.test": "train", "data.withoutCopies": true });
  const { document } = (await runConfig(config, { out: at("copies"), ...labelled })) as {
    document: RunDocument;
  };
  expect(document.warnings).toEqual(["test: every sample is a copy of a training sample"]);
  expect(document.measured.map(({ name }) => name)).toEqual(["validation", "test"]);
});

test("test data: links to folders, some of the classes, values without classes, what isn't used", async () => {
  await writePhotos(at("real"), 3, 4);
  await writeFile(at("real/red/note.txt"), "");
  await symlink(at("real/red"), at("real/linked"));
  const model = await loadModel(at("first/model.onnx"));
  const input = model.manifest!.inputs!.image!;
  await symlink(at("real"), at("all"));
  await rm(at("real/linked"));
  await symlink(at("real/red"), at("red"));
  const { dataset, warnings } = await testModel(model, input, {
    data: { test: { kind: "folder", path: at("all") } },
    ...{ seed: 1, threads: 1, workers: 0 },
  }).then(({ judged, warnings }) => ({ dataset: judged[0]!.part.dataset, warnings }));
  expect(dataset.count).toBe(6);
  expect(warnings).toEqual(["not used, since no pictures in a class's folder: red/note.txt"]);
  const only = await openTestData(
    { kind: "folder", path: at("all") },
    { classes: ["red", "green", "blue"], eachAlone: false },
    input,
  );
  expect([only.labelOf(0), only.labelOf(5)]).toEqual([0, 2]);
});
