import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withPaths } from "./paths.ts";
import { readConfig, type Setting } from "./read.ts";
import { type RunDocument, runConfig } from "./run.ts";
import { writePhotos } from "./test-photos.ts";

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
