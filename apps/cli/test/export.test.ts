import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { decodePicture, int64, loadModel, openBytes, readBytes, type Tensor } from "@camkit/cam-core";
import { beforeAll, expect, test } from "vitest";
import { camkit, readNpy, scenesModel, sceneTensor, workspace, writeNpy, writeScene } from "./support.ts";

const at = workspace();
const x = sceneTensor(1, 2, 3);
beforeAll(async () => {
  await writeNpy(at("x.npy"), x);
});

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);

function distance(got: Tensor, wanted: Tensor): number {
  expect(got.shape).toEqual(wanted.shape);
  const scale = Math.max(...values(wanted).map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  return Math.max(...values(got).map((value, i) => Math.abs(value - values(wanted)[i]!))) / scale;
}

async function run(path: string, feeds: Record<string, Tensor>) {
  const session = await openBytes(path);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** What `explain --raw` gives. */
async function raw(model: string, target: string, more: readonly string[] = []): Promise<Tensor> {
  const file = at(`raw-${target}.npy`);
  const said = await camkit([
    "explain",
    model,
    at("x.npy"),
    "--target",
    target,
    "--raw",
    file,
    "--out",
    at("maps"),
    ...more,
  ]);
  expect(said.code).toBe(0);
  return readNpy(file);
}

test("a model that explains itself: its outputs, the class chosen in the run, a manifest that goes with it", async () => {
  const said = await camkit(["export", "scenes", "--out", at("explained.onnx"), "--json"]);
  expect(said).toMatchObject({ code: 0, stderr: "" });
  const document = said.json();
  expect(document).toMatchObject({
    camkit: "0.1.0",
    command: "export",
    model: { name: "scenes", file: scenesModel },
    method: "grad-cam",
    layers: ["features"],
    target: null,
    targetInput: "cam_target",
    check: { asked: [-1, 0], outputs: 0 },
    files: [at("explained.onnx"), at("explained.camkit.json")],
    warnings: [],
  });
  expect(document.check.cam).toBeLessThan(1e-6);
  expect(document.inputs[1]).toEqual({ name: "cam_target", dtype: "int64", shape: ["cam_targets"], optional: true });
  expect(document.outputs.slice(-2).map((output: { name: string }) => output.name)).toEqual(["cam", "cam_map"]);

  const original = await run(scenesModel, { image: x });
  for (const target of [5, 2]) {
    const out = await run(at("explained.onnx"), { image: x, cam_target: int64([3], [target, target, target]) });
    expect(distance(out.cam!, await raw("scenes", String(target)))).toBeLessThan(1e-6);
    for (const [name, tensor] of Object.entries(original)) expect(out[name]).toEqual(tensor);
  }
  const [sha256, manifest] = [document.sha256, JSON.parse(readFileSync(at("explained.camkit.json"), "utf8"))];
  expect(manifest).toEqual({ ...JSON.parse(readFileSync(scenesModel.replace("onnx", "camkit.json"), "utf8")), sha256 });
  expect(await raw(at("explained.onnx"), "5")).toEqual(await raw("scenes", "5"));

  const { metadata } = (await loadModel(at("explained.onnx"))).graph;
  expect(metadata.get("camkit.model_sha256")).toBe(document.model.sha256);
  expect(metadata.get("camkit.layers")).toBe('["features"]');
  expect(metadata.get("camkit.target")).toBe("chosen in the run by cam_target");
  const again = await camkit(["export", "scenes", "--out", at("again.onnx"), "--skip-check"]);
  expect(again.stdout).toMatch(/^checked +no$/m);
  expect(readFileSync(at("again.onnx"))).toEqual(readFileSync(at("explained.onnx")));
});

test("one label, all classes, several layers", async () => {
  const label = (await loadModel(scenesModel)).labels[4]!;
  expect((await camkit(["export", "scenes", "--target", label, "--out", at("one.onnx")])).code).toBe(0);
  expect(distance((await run(at("one.onnx"), { image: x })).cam!, await raw("scenes", "4"))).toBeLessThan(1e-6);

  const all = await camkit(["export", "scenes", "--all-classes", "--method", "hires-cam", "--out", at("all.onnx")]);
  expect(all.stdout).toMatch(/output +cam +float32 \[n, 8, 12, 12\]/);
  const { cam } = await run(at("all.onnx"), { image: x, cam_target: int64([1], [-1]) });
  const wanted = await raw("scenes", "6", ["--method", "hires-cam"]);
  const one = {
    ...wanted,
    data: Float32Array.from(
      { length: 3 * 144 },
      (_, i) => values(cam!)[(Math.floor(i / 144) * 8 + 6) * 144 + (i % 144)]!,
    ),
  };
  expect(distance(one, wanted)).toBeLessThan(2e-6);

  const layers = (await camkit(["inspect", "scenes", "--json"]))
    .json()
    .layers.map((layer: { tensor: string }) => layer.tensor);
  const two = await camkit([
    "export",
    "scenes",
    "--layer",
    layers.slice(-2).join(","),
    "--out",
    at("two.onnx"),
    "--json",
  ]);
  expect(
    two
      .json()
      .outputs.map((output: { name: string }) => output.name)
      .slice(-3),
  ).toEqual(["cam_0", "cam_1", "cam_map"]);
});

test("pictures of any size, with the preprocessing in the graph", async () => {
  await writeScene(at("large.png"), 3_000_002, { size: 250 });
  const said = await camkit(["export", "scenes", "--fold-preprocessing", "--out", at("folded.onnx"), "--json"]);
  expect(said.json().inputs[0]).toMatchObject({ name: "cam_pictures", dtype: "uint8" });
  expect(JSON.parse(readFileSync(at("folded.camkit.json"), "utf8")).inputs).toBeUndefined();
  const { rgb, width, height } = await decodePicture(await readBytes(at("large.png")), "large.png");
  const pictures: Tensor = { dtype: "uint8", shape: [1, height, width, 3], data: rgb };
  const { cam } = await run(at("folded.onnx"), { cam_pictures: pictures, cam_target: int64([1], [-1]) });
  const explained = ["explain", "scenes", at("large.png"), "--raw", at("large.npy"), "--out", at("maps")];
  expect((await camkit(explained)).code).toBe(0);
  expect(distance(cam!, await readNpy(at("large.npy")))).toBeLessThan(5e-3);
});

test("bench measures an exported file beside the one it came from", async () => {
  const said = await camkit(["bench", "scenes", "--against", at("explained.onnx"), "--pairs", "3", "--json"]);
  expect(said.json()).toMatchObject({ against: at("explained.onnx"), layers: ["features"], pairs: 3 });
});

test.each([
  [["--target", "1", "--all-classes"], "usage", /give one of them/],
  [["--target", "1,2"], "usage", /explains one fixed target/],
  [["--target", "99"], "target", /class 99 does not exist/],
  [["--method", "score-cam"], "unknown-name", /unknown method "score-cam"/],
  [["--layer", "nowhere"], "unknown-name", /unknown layer "nowhere"/],
  [["--all-classes", "--method", "layer-cam"], "method", /not layer-cam/],
  [["--target-input", "maybe"], "usage", /"maybe" is none of optional, required/],
  [["--prefix", "features"], "name-taken", /a value named "features" already/],
] as const)("%j is refused, and nothing is written", async (more, code, message) => {
  const said = await camkit(["export", "scenes", "--out", at("refused/no.onnx"), ...more, "--json"]);
  expect(said.code).toBe(2);
  expect(said.json().error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(existsSync(at("refused"))).toBe(false);
});

test("the original isn't written over, and another ending is a slip", async () => {
  copyFileSync(scenesModel, at("mine.onnx"));
  const over = await camkit(["export", at("mine.onnx"), "--out", at("mine.onnx")]);
  expect(over.code).toBe(1);
  expect(over.stderr).toMatch(/mine\.onnx: holds the weights of the model that is written/);
  expect(readFileSync(at("mine.onnx"))).toEqual(readFileSync(scenesModel));
  expect((await camkit(["export", "scenes", "--out", at("x")])).stderr).toMatch(/--out names an \.onnx file/);
  expect(readdirSync(at()).filter((name) => name.endsWith(".part"))).toEqual([]);
});
