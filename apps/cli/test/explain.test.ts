import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { loadModel, readProvenance, type Tensor } from "@camkit/cam-core";
import { beforeAll, describe, expect, test } from "vitest";
import { abortAfter, camkit, readNpy, scenesModel, sceneTensor, workspace, writeNpy, writeScene } from "./support.ts";

const at = workspace();
beforeAll(async () => {
  for (const seed of [1, 2, 3]) await writeScene(at("in", `scene${seed}.png`), seed);
  await writeNpy(at("x.npy"), sceneTensor(1));
  await writeNpy(at("batch.npy"), sceneTensor(1, 2, 3));
});

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);
const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));

/** Largest difference as a share of the largest value. */
function distance(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  const scale = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / scale;
}

test("a picture gives an overlay, a map and a result that says how", async () => {
  const said = await camkit(["explain", "scenes", at("in/scene1.png"), "--out", at("one"), "--json"]);
  expect(said).toMatchObject({ code: 0, stderr: "" });
  const { out, ...document } = said.json();
  expect(out).toBe(at("one"));
  expect(readdirSync(at("one")).sort()).toEqual(["result.json", "scene1.grad-cam.npy", "scene1.grad-cam.png"]);
  expect(document).toEqual(json(at("one/result.json")));
  expect(document).toMatchObject({
    camkit: "0.1.0",
    command: "explain",
    model: { name: "scenes", version: "2.0.0", licence: "Apache-2.0", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    method: { name: "grad-cam", parameters: {} },
    layers: [{ tensor: "features", channels: 64, space: [12, 12] }],
    layerChosen: "auto",
    provider: "cpu",
    seed: null,
    preprocessing: { assumed: false, input: { layout: "NCHW", range: [-1, 1] } },
    failures: [],
    interrupted: false,
    files: ["scene1.grad-cam.png", "scene1.grad-cam.npy", "result.json"],
  });
  const [input] = document.inputs;
  expect(input).toMatchObject({ file: at("in/scene1.png"), size: { width: 96, height: 96 } });
  expect(input.predictions).toHaveLength(5);
  const [best] = input.predictions;
  const [explained] = input.explanations;
  expect(explained).toMatchObject({
    target: "auto",
    class: best.class,
    label: best.label,
    probability: best.probability,
  });
  expect(explained.score).toBeCloseTo(best.score, 4);
  expect(best.probability).toBeCloseTo(1 / (1 + Math.exp(-best.score)), 12); // by hand: the manifest says sigmoid

  const map = await readNpy(at("one/scene1.grad-cam.npy"));
  expect(map).toMatchObject({ dtype: "float32", shape: [1, 96, 96] });
  expect(Math.min(...values(map))).toBe(0);
  expect(Math.max(...values(map))).toBeCloseTo(1, 5);
  const highest = values(map).indexOf(Math.max(...values(map)));
  expect(explained.peak).toEqual({ x: (highest % 96) + 0.5, y: Math.floor(highest / 96) + 0.5 });

  const inside = await readProvenance(readFileSync(at("one/scene1.grad-cam.png")));
  expect(inside).toMatchObject({
    software: "camkit 0.1.0",
    model: document.model,
    layers: document.layers,
    label: explained.label,
    score: explained.score,
    seed: null,
  });
});

test("the peak lies on the object that is there, in pixels of a picture of any size", async () => {
  const scene = await writeScene(at("large.png"), 3_000_002, { size: 384 });
  const labels = scene.objects.map((object) => object.label).join(",");
  const said = await camkit(["explain", "scenes", at("large.png"), "--target", labels, "--out", at("large"), "--json"]);
  for (const [i, { label, peak }] of said.json().inputs[0].explanations.entries()) {
    const object = scene.objects[i]!;
    expect(label).toBe(object.label);
    expect(object.mask[Math.floor(peak.y) * 384 + Math.floor(peak.x)], label).toBe(1);
  }
});

test("a picture and the tensor made of it give the same map", async () => {
  const raw = (input: string, name: string) =>
    camkit(["explain", "scenes", input, "--target", "0", "--method", "cam", "--raw", at(name), "--out", at("same")]);
  await raw(at("in/scene1.png"), "picture.npy");
  await raw(at("x.npy"), "tensor.npy");
  expect(distance(values(await readNpy(at("picture.npy"))), values(await readNpy(at("tensor.npy"))))).toBeLessThan(
    1e-5,
  );
});

test("--raw: at the layer's resolution, before scaling: Grad-CAM = relu(CAM) / 144 behind pooling and one dense layer", async () => {
  for (const method of ["cam", "grad-cam"])
    await camkit([
      "explain",
      "scenes",
      at("batch.npy"),
      "--method",
      method,
      "--layer",
      "features",
      "--raw",
      at(`${method}.npy`),
      "--out",
      at("raw"),
    ]);
  const cam = await readNpy(at("cam.npy"));
  const gradCam = await readNpy(at("grad-cam.npy"));
  expect(gradCam).toMatchObject({ dtype: "float32", shape: [3, 12, 12] });
  const expected = values(cam).map((value) => Math.max(0, value) / 144);
  expect(distance(values(gradCam), expected)).toBeLessThan(1e-5);
});

test("--raw with several layers, targets or inputs is a folder of files with clear names", async () => {
  const { code } = await camkit([
    ...["explain", "scenes", at("x.npy"), at("in/scene2.png"), "--layer", "features,mix1", "--target", "auto,red disc"],
    ...["--raw", at("raws"), "--out", at("several")],
  ]);
  expect(code).toBe(0);
  expect(readdirSync(at("raws")).sort()).toEqual([
    "scene2.features.npy",
    "scene2.features.red-disc.npy",
    "scene2.mix1.npy",
    "scene2.mix1.red-disc.npy",
    "x.features.npy",
    "x.features.red-disc.npy",
    "x.mix1.npy",
    "x.mix1.red-disc.npy",
  ]);
  expect((await readNpy(at("raws/x.mix1.npy"))).shape).toEqual([1, 24, 24]);
});

test("a batch in one .npy: an entry and a picture per sample, one map file", async () => {
  const said = await camkit(["explain", "scenes", at("batch.npy"), "--out", at("batch"), "--json"]);
  const { inputs } = said.json();
  expect(inputs.map((entry: { sample: number }) => entry.sample)).toEqual([0, 1, 2]);
  expect(readdirSync(at("batch")).filter((file) => file.endsWith(".png"))).toEqual([
    "batch.grad-cam.0.png",
    "batch.grad-cam.1.png",
    "batch.grad-cam.2.png",
  ]);
  expect((await readNpy(at("batch/batch.grad-cam.npy"))).shape).toEqual([3, 96, 96]);
  const single = await camkit(["explain", "scenes", at("x.npy"), "--out", at("single"), "--json"]);
  expect(inputs[0].predictions[0].score).toBeCloseTo(single.json().inputs[0].predictions[0].score, 4);
});

test("every kind of target, each with its own files", async () => {
  writeFileSync(at("mask.txt"), "");
  await writeNpy(at("only3.npy"), { dtype: "float32", shape: [8], data: Float32Array.from([0, 0, 0, 1, 0, 0, 0, 0]) });
  const targets = ["auto", "3", "yellow star", "0-1", "red disc-blue drop", "out[3]", `mask:${at("only3.npy")}`].join(
    ",",
  );
  const said = await camkit([
    "explain",
    "scenes",
    at("in/scene3.png"),
    "--target",
    targets,
    "--out",
    at("kinds"),
    "--json",
  ]);
  expect(said.code).toBe(0);
  const [entry] = said.json().inputs;
  const maps = entry.explanations.map((each: { files: { map: string } }) => each.files.map);
  // "3" and "yellow star", and both spellings of the contrast, are one target each.
  expect(maps).toEqual([
    "scene3.grad-cam.npy",
    "scene3.grad-cam.yellow-star.npy",
    "scene3.grad-cam.red-disc-vs-blue-drop.npy",
    "scene3.grad-cam.out-3.npy",
    "scene3.grad-cam.mask-only3.npy",
  ]);
  const [, star, contrast, element, mask] = entry.explanations;
  const score = (index: number) => entry.predictions.find((each: { class: number }) => each.class === index)?.score;
  expect(element.score).toBeCloseTo(star.score, 5);
  expect(mask.score).toBeCloseTo(star.score, 5);
  if (score(0) !== undefined && score(1) !== undefined) expect(contrast.score).toBeCloseTo(score(0) - score(1), 4);
});

test("a map without evidence isn't painted; the result and stderr say why", async () => {
  const said = await camkit([
    "explain",
    "scenes",
    at("in/scene1.png"),
    "--target",
    "purple cross",
    "--out",
    at("none"),
    "--json",
  ]);
  const { inputs, warnings } = said.json();
  expect(said.code).toBe(0);
  expect(inputs[0].explanations[0].raw).toEqual([{ layer: "features", min: 0, max: 0 }]);
  expect(inputs[0].explanations[0].files).toEqual({ map: "scene1.grad-cam.purple-cross.npy" });
  expect(warnings).toEqual([expect.stringMatching(/scene1\.png, purple cross: the map is zero everywhere/)]);
  expect(said.stderr).toContain("the map is zero everywhere");
  expect(existsSync(at("none/scene1.grad-cam.purple-cross.png"))).toBe(false);
});

test("without a manifest, what was assumed is said in the result and on stderr", async () => {
  copyFileSync(scenesModel, at("bare.onnx"));
  const said = await camkit(["explain", at("bare.onnx"), at("in/scene1.png"), "--out", at("bare"), "--json"]);
  expect(said.json().preprocessing).toMatchObject({ assumed: true, input: { size: [96, 96] } });
  expect(said.json().warnings[0]).toMatch(/preprocessing was assumed/);
  expect(said.stderr).toMatch(/preprocessing was assumed/);
  expect(said.json().inputs[0].explanations[0]).not.toHaveProperty("label");
});

test("what an exporter left is the manifest: said in the result and by inspect; a damaged one is said, too", async () => {
  mkdirSync(at("hub/onnx"), { recursive: true });
  copyFileSync(scenesModel, at("hub/onnx/model.onnx"));
  const labels = Object.fromEntries((await loadModel(scenesModel)).labels.map((name, i) => [i, `my ${name}`]));
  writeFileSync(at("hub/config.json"), JSON.stringify({ model_type: "resnet", id2label: labels }));
  const processor = {
    image_processor_type: "ViTImageProcessor",
    size: 96,
    resample: 2,
    image_mean: 0.5,
    image_std: 0.5,
  };
  writeFileSync(at("hub/preprocessor_config.json"), JSON.stringify(processor));
  const run = ["explain", at("hub/onnx/model.onnx"), at("in/scene1.png"), "--out", at("hub-out"), "--json"];
  const { preprocessing, model, warnings, inputs } = (await camkit(run)).json();
  expect(preprocessing).toMatchObject({
    assumed: false,
    from: "../preprocessor_config.json",
    input: { mean: [0.5, 0.5, 0.5] },
  });
  expect(model.manifest).toEqual(["../config.json", "../preprocessor_config.json"]);
  expect(warnings).toEqual([]);
  expect(inputs[0].explanations[0].label).toMatch(/^my /);
  const inspected = (await camkit(["inspect", at("hub/onnx/model.onnx")])).stdout;
  expect(inspected).toMatch(/manifest {2}\.\.\/config\.json, \.\.\/preprocessor_config\.json/);
  expect(inspected).toMatch(/from {4}\.\.\/preprocessor_config\.json/);

  writeFileSync(at("hub/preprocessor_config.json"), "{");
  const damaged = await camkit(run);
  expect(damaged.stderr).toMatch(/preprocessor_config\.json: not JSON: .*; it is left out/);
  expect(damaged.json().warnings[1]).toMatch(/preprocessing was assumed, \.\.\/config\.json doesn't say it/);
});

describe("many inputs", () => {
  test("a bad one doesn't stop the others: exit 1, the failure in the result", async () => {
    mkdirSync(at("mixed"));
    copyFileSync(at("in/scene1.png"), at("mixed/a.png"));
    writeFileSync(at("mixed/b.png"), "no picture");
    copyFileSync(at("in/scene2.png"), at("mixed/c.png"));
    const said = await camkit(["explain", "scenes", at("mixed"), "--out", at("mixed-out"), "--json"]);
    expect(said.code).toBe(1);
    const { inputs, failures } = said.json();
    expect(inputs.map((entry: { file: string }) => basename(entry.file))).toEqual(["a.png", "c.png"]);
    expect(failures).toEqual([{ file: at("mixed/b.png"), error: expect.objectContaining({ code: "input" }) }]);
  });

  test("equal names from different folders and endings don't overwrite each other", async () => {
    for (const folder of ["p", "q"]) {
      mkdirSync(at(folder));
      copyFileSync(at("in/scene1.png"), at(folder, "same.png"));
    }
    copyFileSync(at("in/scene1.png"), at("p", "Same.jpg"));
    await camkit([
      "explain",
      "scenes",
      at("p/same.png"),
      at("p/Same.jpg"),
      at("q/same.png"),
      at("p/same.png"),
      "--out",
      at("names"),
    ]);
    const pictures = readdirSync(at("names")).filter((file) => file.endsWith(".png"));
    expect(pictures.sort()).toEqual(["p_Same_jpg.grad-cam.png", "p_same_png.grad-cam.png", "q_same.grad-cam.png"]);
  });

  test("run again, even into the folder of the pictures, it explains the same pictures and writes the same files", async () => {
    mkdirSync(at("again"));
    copyFileSync(at("in/scene1.png"), at("again/scene.png"));
    const run = () => camkit(["explain", "scenes", at("again"), "--out", at("again"), "--json"]);
    const { time: _, ...first } = (await run()).json();
    const files = readdirSync(at("again"));
    const map = readFileSync(at("again/scene.grad-cam.npy"));
    const { time: __, ...second } = (await run()).json();
    expect(second).toEqual(first);
    expect(readdirSync(at("again"))).toEqual(files);
    expect(readFileSync(at("again/scene.grad-cam.npy")).equals(map)).toBe(true);
  });

  test("interrupted: what is done is written, exit 130, no half file", async () => {
    const said = await camkit(["explain", "scenes", at("in"), "--out", at("stopped"), "--json"], abortAfter(3));
    expect(said.code).toBe(130);
    const document = said.json();
    expect(document.interrupted).toBe(true);
    expect(document.inputs.length).toBeGreaterThan(0);
    expect(document.inputs.length + document.notDone).toBe(3);
    expect(readdirSync(at("stopped")).sort()).toEqual([...document.files].sort());
  });

  test("interrupted before anything is done: the error says so", async () => {
    const said = await camkit(["explain", "scenes", at("in"), "--out", at("nothing"), "--json"], abortAfter(0));
    expect(said.code).toBe(130);
    expect(said.json().error).toMatchObject({ code: "aborted" });
    expect(existsSync(at("nothing"))).toBe(false);
  });
});

test.each([
  [["--format", "jpeg"], "scene1.grad-cam.jpg"],
  [["--view", "side-by-side", "--colormap", "viridis"], "scene1.grad-cam.png"],
  [["--method", "input-gradient"], "scene1.input-gradient.png"],
  [["--top", "2", "--threads", "1"], "scene1.grad-cam.png"],
])("%j", async (options, file) => {
  const out = at(`options ${options.join(" ")}`);
  const said = await camkit(["explain", "scenes", at("in/scene1.png"), ...options, "--out", out]);
  expect(said.code).toBe(0);
  expect(existsSync(`${out}/${file}`)).toBe(true);
  expect(said.stdout).toContain(file);
});
