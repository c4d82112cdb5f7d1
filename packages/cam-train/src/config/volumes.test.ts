import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadModel } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkRun } from "./check.ts";
import type { RunDocument } from "./document.ts";
import { withPaths } from "./paths.ts";
import { readConfig } from "./read.ts";
import { prepareRun } from "./recipe.ts";
import { compact } from "./results.ts";
import { runConfig } from "./run.ts";
import { testModel } from "./test-model.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);

/** Noise in 6×12×10; every other volume has a bright block of 2×4×4 somewhere, and its mask says where. */
const generator = `
export default ({ count, seed }) => ({
  count,
  classes: ["clear", "block"],
  fields: {
    input: { dtype: "float32", shape: [1, 6, 12, 10] },
    label: { dtype: "int64", shape: [] },
    mask: { dtype: "uint8", shape: [6, 12, 10] },
  },
  labelOf: (index) => index % 2,
  load: (index) => {
    let state = (seed * 7919 + index * 104729 + 1) % 2147483647;
    const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const data = Float32Array.from({ length: 720 }, () => 0.4 * next());
    const mask = new Uint8Array(720);
    const [z, y, x] = [5, 9, 7].map((most) => Math.floor(next() * most));
    if (index % 2 === 1)
      for (let k = 0; k < 32; k++) {
        const place = ((z + (k >> 4)) * 12 + y + ((k >> 2) & 3)) * 10 + x + (k & 3);
        data[place] += 0.5;
        mask[place] = 1;
      }
    const label = BigInt64Array.of(BigInt(index % 2));
    return {
      input: { dtype: "float32", shape: [1, 6, 12, 10], data },
      label: { dtype: "int64", shape: [], data: label },
      mask: { dtype: "uint8", shape: [6, 12, 10], data: mask },
    };
  },
});
`;

const recipe = `
network:
  input: [1, 6, 12, 10]
  layers:
    - { conv: { name: first, filters: 8, padding: 1, stride: [1, 2, 2], bias: false } }
    - batchNorm
    - relu
    - { conv: { name: second, filters: 12, padding: 1 } }
    - { relu: { name: features } }
    - globalAveragePool
    - { dense: { name: head, units: 2 } }
input: { layout: NCDHW, size: [6, 12, 10], range: [0, 1], windowHu: { center: -300, width: 1800 } }
data:
  train: { kind: module, url: volumes.mjs, options: { count: 48, seed: 1 } }
  validation: { fraction: 0.25 }
  test: { kind: module, url: volumes.mjs, options: { count: 24, seed: 2 } }
augment: [{ kind: mirror, axes: [0.5, 0.5, 0.5] }]
batch: 6
epochs: 16
rate: 0.01
loss:
  - crossEntropy
  - { cells: { layer: features, weights: head.weight, weight: 0.5 } }
  - { map: { layer: features, weight: 0.2 } }
threads: 1
workers: 0
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-volumes-"));
  await writeFile(at("volumes.mjs"), generator);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ready(text: string) {
  await writeFile(at("volumes.yaml"), text);
  const { config, name, folder: base } = await readConfig(at("volumes.yaml"));
  return withPaths({ ...config, name }, (path) => resolve(base, path));
}

const labelled = { generator: "camkit 0.1.0", time: "now" };

test("volumes from a generator, mirrored, with losses on cells and on maps, to a deployed model and its test", async () => {
  const { document } = (await runConfig(await ready(recipe), { out: at("run"), ...labelled })) as {
    document: RunDocument;
  };
  for (const file of document.files) expect(existsSync(at("run", file)), file).toBe(true);
  const model = await loadModel(at("run/model.onnx"));
  expect(model.manifest).toMatchObject({
    inputs: {
      image: { layout: "NCDHW", size: [6, 12, 10], channelOrder: "grey", windowHu: { center: -300, width: 1800 } },
    },
    classes: ["clear", "block"],
    targetLayer: "features",
  });
  expect(model.manifest!.results!["test/accuracy"]!.value).toBeGreaterThan(0.9);
  const { measured } = await testModel(model, model.manifest!.inputs!.image, {
    data: { test: { kind: "module", url: at("volumes.mjs"), options: { count: 24, seed: 2 } } },
    ...{ seed: 1, threads: 1, workers: 0 },
  });
  const told = document.measured.find(({ name }) => name === "test")!;
  expect(JSON.parse(JSON.stringify(measured.map(compact)))).toEqual([JSON.parse(JSON.stringify(told))]);
});

test("CovidNet3D trains, and its stages are tensors of the deployed file", async () => {
  const cells = [0, 1, 2, 3, 4].flatMap((stage) => [1, 2, 3].map((cell) => `s${stage}_c${cell}: zero`)).join(", ");
  const covid = recipe
    .replace(/network:[\s\S]*?\ninput:/, `network: { preset: covidnet3d, cells: { ${cells} } }\ninput:`)
    .replace(/loss:[\s\S]*?\nthreads/, "loss: [crossEntropy, { map: { layer: stage1, weight: 0.2 } }]\nthreads")
    .replace("epochs: 16", "epochs: 1")
    .replace("count: 48", "count: 8")
    .replace("workers: 0", "manifest: { targetLayer: stage3 }\nworkers: 0");
  const result = await runConfig(await ready(covid), { out: at("covid"), ...labelled });
  expect(result.state).toBe("finished");
  const model = await loadModel(at("covid/model.onnx"));
  expect(model.manifest!.targetLayer).toBe("stage3");
  const made = new Set(model.graph.nodes.flatMap(({ outputs }) => outputs));
  for (const name of ["stage1", "stage3", "mix"]) expect(made).toContain(name);
});

test("a check shows no pictures of volumes", async () => {
  const { files, batch } = await checkRun(await prepareRun(await ready(recipe)), at("checked"));
  expect(files).toEqual([]);
  expect(batch.input).toEqual({ dtype: "float32", shape: [6, 1, 6, 12, 10] });
});

test.each([
  ["without a layout", "layout: NCDHW, ", "input: the network takes finished tensors with three axes of space"],
  ["of another size", "size: [6, 12, 10]", "inputs.image.size is [6, 12, 12], but the model takes [n, 1, 6, 12, 10]"],
])("a description of the input %s is refused before anything is trained", async (_, part, message) => {
  const changed = recipe
    .replace(`input: { layout`, "input: { layout")
    .replace(part, part.startsWith("size") ? "size: [6, 12, 12]" : "");
  await expect(runConfig(await ready(changed), { out: at("refused"), ...labelled })).rejects.toThrow(message);
});

test("a layout is no matter of pictures", async () => {
  const pictures = recipe
    .replace(/network:[\s\S]*?\ninput:/, "network: { preset: cifake }\ninput:")
    .replace(/loss:[\s\S]*?\nthreads/, "threads");
  await expect(runConfig(await ready(pictures), { out: at("refused"), ...labelled })).rejects.toThrow(
    "NCDHW is for volumes",
  );
});

test("what is written down reads as it was", async () => {
  expect(await readFile(at("run/recipe.yaml"), "utf8")).toContain("layout: NCDHW");
});
