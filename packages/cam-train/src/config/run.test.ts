import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { decodePicture, float32, loadModel, openSession, pixelAffine } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkRun } from "./check.ts";
import type { RunDocument } from "./document.ts";
import { withPaths } from "./paths.ts";
import { readConfig, type Setting } from "./read.ts";
import { prepareRun } from "./recipe.ts";
import { compact } from "./results.ts";
import { type RunEvent, runConfig, stateOf } from "./run.ts";
import { runUnits } from "./run-units.ts";
import { testModel } from "./test-model.ts";
import { writePhotos } from "./test-photos.ts";
import { unitsOf } from "./units.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-config-"));
  await writePhotos(at("train"), 24, 1);
  await writePhotos(at("test"), 12, 2);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipe = `
network: { preset: cifake, filters: 4, units: 8 }
input: { size: [16, 16] }
data: { train: train, validation: { fraction: 0.25 }, test: test }
batch: 6
epochs: 8
rate: 0.01
loss: binary
monitor: accuracy
threads: 1
workers: 0
`;

async function ready(text: string, more: Setting[] = []) {
  await writeFile(at("small.yaml"), text);
  const { config, name, folder: base } = await readConfig(at("small.yaml"), more);
  return withPaths({ ...config, name }, (path) => resolve(base, path));
}

const labelled = { generator: "camkit 0.1.0", time: "now" };

test("from two folders of pictures to a deployed model, and what it is written down with", async () => {
  const result = await runConfig(await ready(recipe), { out: at("run"), ...labelled });
  expect(result.state).toBe("finished");
  const { files } = (result as { document: RunDocument }).document;
  for (const file of files) expect(existsSync(at("run", file)), file).toBe(true);
  const manifest = JSON.parse(await readFile(at("run/model.camkit.json"), "utf8"));
  expect(manifest).toMatchObject({
    classes: ["blue", "red"],
    output: { kind: "logits", activation: "sigmoid" },
    targetLayer: "pool2",
    inputs: { image: { layout: "NCHW", size: [16, 16], range: [0, 1] } },
  });
  expect(manifest.results["test/accuracy"]).toMatchObject({ baseline: 0.5, data: "24 samples" });
  expect(manifest.results["test/accuracy"].value).toBeGreaterThan(0.9);
});

test("the deployed file says what was measured: read again by itself, sample by sample", async () => {
  const { document } = (await runConfig(await ready(recipe), { out: at("again"), ...labelled })) as {
    document: RunDocument;
  };
  const model = await loadModel(at("again/model.onnx"));
  expect(model.sha256()).toBe(model.manifest!.sha256);
  const input = model.manifest!.inputs!.image!;
  const { measured, judged } = await testModel(model, input, {
    data: { test: { kind: "folder", path: at("test") } },
    ...{ seed: 1, threads: 1, workers: 0 },
  });
  const test = document.measured.find(({ name }) => name === "test")!;
  expect(JSON.parse(JSON.stringify(measured.map(compact)))).toEqual([JSON.parse(JSON.stringify(test))]);
  // Once more without the feeder, the loop and the metrics: pictures prepared and fed one at a time.
  const session = await openSession(model.graph, { threads: 1 });
  const { scale, offset } = pixelAffine(input);
  for (const [i, id] of ["blue/0.png", "blue/1.png", "blue/10.png"].entries()) {
    const { rgb } = await decodePicture(at("test", id));
    const x = Float32Array.from(
      { length: 768 },
      (_, k) => rgb[(k % 256) * 3 + Math.floor(k / 256)]! * scale[0]! + offset[0]!,
    );
    const { logits } = await session.run({ image: float32([1, 3, 16, 16], x) });
    expect(judged[0]!.part.dataset.idOf(i)).toBe(id);
    expect((logits!.data as Float32Array)[0]).toBeCloseTo(judged[0]!.found.outputs[i]!, 5);
  }
  await session.close();
});

test("stopped and resumed, the deployed model is the same to the byte; a finished run is left alone", async () => {
  const whole = at("whole");
  const parts = at("parts");
  const config = await ready(recipe);
  await runConfig(config, { out: whole, ...labelled });
  const stop = new AbortController();
  const onEvent = (event: RunEvent) => event.kind === "step" && event.step === 20 && stop.abort();
  const first = await runConfig(config, { out: parts, ...labelled, signal: stop.signal, onEvent });
  expect(first).toMatchObject({ state: "interrupted", trained: { step: 20, steps: 48 } });
  expect(stateOf(parts)).toBe("begun");
  await expect(runConfig(config, { out: parts, ...labelled })).rejects.toThrow(
    /a run was begun here and isn't through/,
  );
  // The optimiser of another configuration doesn't go on from here.
  const other = await ready(recipe, [{ key: "rate", value: 0.02 }]);
  await expect(runConfig(other, { out: parts, ...labelled, resume: true })).rejects.toThrow(/is from another run/);

  expect(await runConfig(config, { out: parts, ...labelled, resume: true })).toMatchObject({ state: "finished" });
  const [one, two] = await Promise.all([whole, parts].map((folder) => readFile(join(folder, "model.onnx"))));
  expect(one!.equals(two!)).toBe(true);
  expect(await runConfig(config, { out: parts, ...labelled, resume: true })).toMatchObject({ state: "already" });
  await expect(runConfig(config, { out: parts, ...labelled })).rejects.toThrow(/a finished run lies here/);
  await expect(runConfig(other, { out: parts, ...labelled, resume: true })).rejects.toThrow(/of another configuration/);
});

test("the recipe that is left is a configuration: it gives the same model again", async () => {
  const { config, name, folder: base } = await readConfig(at("whole/recipe.yaml"));
  const moved = withPaths({ ...config, name }, (path) => resolve(base, path));
  await runConfig(moved, { out: at("from-recipe"), ...labelled });
  const [one, two] = await Promise.all(["whole", "from-recipe"].map((each) => readFile(at(each, "model.onnx"))));
  expect(one!.equals(two!)).toBe(true);
});

test("temperature and threshold lie where explain reads them", async () => {
  await writePhotos(at("vague"), 60, 3, 110, 12);
  const more = { "data.train": "vague", "data.validation.fraction": 0.5, calibrate: true, answer: { accuracy: 0.6 } };
  const config = await ready(
    recipe,
    Object.entries(more).map(([key, value]) => ({ key, value })),
  );
  await runConfig(config, { out: at("vague-run"), ...labelled });
  const { calibration } = JSON.parse(await readFile(at("vague-run/model.camkit.json"), "utf8"));
  const { temperature, band } = JSON.parse(await readFile(at("vague-run/result.json"), "utf8"));
  expect(calibration).toEqual({
    temperature: temperature.value,
    answerAbove: band.threshold,
    data: "60 validation samples",
  });
  expect(temperature.logLossAfter).toBeLessThan(temperature.logLossBefore);
});

test("folds and variants, a table of them; one that diverges stops nothing", async () => {
  const raw = `${recipe}sweep: { rate: [0.01, 1.0e+30] }\n`.replace(
    "fraction: 0.25 }, test: test",
    "fraction: 0.25 }, folds: 2",
  );
  await writeFile(at("many.yaml"), raw);
  const units = unitsOf(await readConfig(at("many.yaml")), ({ config, name, folder: base }) =>
    withPaths({ ...config, name, epochs: 2 }, (path) => resolve(base, path)),
  );
  const { state, document } = await runUnits(units, { out: at("many"), ...labelled });
  expect(state).toBe("finished");
  expect(document.rows.map(({ name, error }) => [name, error?.includes("no longer finite") ?? false])).toEqual([
    ["rate-0.01/fold-1", false],
    ["rate-0.01/fold-2", false],
    ["rate-1e+30/fold-1", true],
    ["rate-1e+30/fold-2", true],
  ]);
  // Every picture is held out in one of the folds.
  const held = await Promise.all(
    [1, 2].map(async (fold) => JSON.parse(await readFile(at(`many/rate-0.01/fold-${fold}/result.json`), "utf8")).data),
  );
  expect(
    held
      .flat()
      .filter(({ name }) => name === "held out")
      .map(({ samples }) => samples),
  ).toEqual([24, 24]);
  // What a fold leaves is the configuration of that fold.
  const fold = await readConfig(at("many/rate-0.01/fold-2/recipe.yaml"));
  const [only, ...others] = unitsOf(fold, ({ config, folder: base }) =>
    withPaths(config, (path) => resolve(base, path)),
  );
  expect([only!.name, others]).toEqual(["", []]);
  await runConfig(only!.config, { out: at("second-fold"), ...labelled });
  const [one, two] = await Promise.all(
    ["many/rate-0.01/fold-2", "second-fold"].map((each) => readFile(at(each, "model.onnx"))),
  );
  expect(one!.equals(two!)).toBe(true);
  const again = await runUnits(units.slice(0, 2), { out: at("many"), ...labelled, resume: true });
  expect(again.document.rows.map(({ seconds }) => seconds)).toEqual(
    document.rows.slice(0, 2).map(({ seconds }) => seconds),
  );
  await expect(runUnits(units, { out: at("many"), ...labelled })).rejects.toThrow(/a finished run lies here/);
  await expect(runUnits(units, { out: at("second-fold"), ...labelled, resume: true })).rejects.toThrow(
    /of another configuration lies here/,
  );
});

test("a check changes no weight and writes the batch as training sees it", async () => {
  const run = await prepareRun(await ready(recipe, [{ key: "augment", value: [{ kind: "crop", padding: 2 }] }]));
  const found = await checkRun(run, at("checked"));
  expect(found).toMatchObject({
    steps: 48,
    samples: { train: 36, validation: 12, test: 24 },
    files: ["augmented.png"],
  });
  // 4 filters: 3·9·4 + 4 = 112 and 4·9·4 + 4 = 148; dense 2·2·4·8 + 8 = 136; head 9.
  expect(found.parameters).toEqual({ all: 405, trained: 405 });
  // An untrained answer is near ln 2.
  expect(Math.abs(found.loss - Math.LN2)).toBeLessThan(0.3);
  const { width, height } = await decodePicture(at("checked/augmented.png"));
  // 6 pictures side by side, each 16 pixels enlarged 10 times, 2 apart.
  expect([width, height]).toEqual([972, 162]);
  expect(stateOf(at("checked"))).toBe("new");
});
