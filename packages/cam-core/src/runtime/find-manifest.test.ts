import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeModel } from "../model/write.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { loadModel } from "./load-model.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "camkit-manifest-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = { model_type: "vit", id2label: { 0: "cat", 1: "dog" }, patch_size: 16 };
const processor = { image_processor_type: "ViTImageProcessor", size: 32, resample: 2, image_mean: 0.5, image_std: 0.5 };
const own = { formatVersion: 1, name: "ours", classes: ["a", "b"] };

/** Writes a model, and files relative to its folder; text as it is. */
function laid(model: string, files: Readonly<Record<string, unknown>>): string {
  const path = join(folder, model);
  mkdirSync(dirname(path), { recursive: true });
  const { graph } = tinyModel({ x: ["n", 3, 32, 32] }, (op, { x }) => ({ logits: op.relu(x!) }));
  writeFileSync(path, writeModel(graph).model);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dirname(path), name), typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("found", () => {
  test("ours first, whatever lies beside it", async () => {
    const path = laid("a/model.onnx", { "model.camkit.json": own, "config.json": config });
    expect(await loadModel(path)).toMatchObject({ labels: ["a", "b"], manifestFrom: { files: ["model.camkit.json"] } });
  });

  test("what an exporter left beside the model", async () => {
    const model = await loadModel(
      laid("b/model.onnx", { "config.json": config, "preprocessor_config.json": processor }),
    );
    expect(model.manifestFrom).toEqual({
      files: ["config.json", "preprocessor_config.json"],
      inputsFrom: "preprocessor_config.json",
      notes: [],
    });
    expect(model).toMatchObject({ labels: ["cat", "dog"], manifest: { inputs: { x: { size: [32, 32] } } } });
  });

  test("one level above a folder called onnx, and only there", async () => {
    const files = { "../config.json": config, "../preprocessor_config.json": processor };
    const { manifestFrom } = await loadModel(laid("hub/onnx/model.onnx", files));
    expect(manifestFrom?.files).toEqual(["../config.json", "../preprocessor_config.json"]);
    expect((await loadModel(laid("hub/other/model.onnx", {}))).manifest).toBeUndefined();
  });

  test("nothing", async () => {
    const model = await loadModel(laid("c/model.onnx", {}));
    expect([model.manifest, model.manifestFrom]).toEqual([undefined, { files: [], notes: [] }]);
  });

  test("a damaged file is left out, and said", async () => {
    const model = await loadModel(laid("d/model.onnx", { "config.json": config, "preprocessor_config.json": "{" }));
    expect(model.labels).toEqual(["cat", "dog"]);
    expect(model.manifestFrom?.notes).toEqual([
      expect.stringMatching(/preprocessor_config\.json: not JSON: .*; it is left out$/),
    ]);
  });
});

describe("given", () => {
  const given = async (name: string, content: unknown, more = {}) => {
    const path = laid("e/model.onnx", {});
    const file = join(folder, "elsewhere", name);
    laid("elsewhere/other.onnx", { [name]: content, ...more });
    return { file, model: loadModel(path, { manifest: file }) };
  };

  test("ours by any name", async () => {
    const { file, model } = await given("mine.json", own);
    expect(await model).toMatchObject({ labels: ["a", "b"], manifestFrom: { files: [file] } });
  });

  test("a foreign one by any name, with what lies beside it", async () => {
    const { file, model } = await given("vit.json", processor, { "config.json": config });
    expect(await model).toMatchObject({ labels: ["cat", "dog"], manifestFrom: { files: ["config.json", file] } });
  });

  test("a damaged one is refused", async () => {
    const { model } = await given("p.json", { ...processor, size: "large" });
    await expect(model).rejects.toMatchObject({
      code: "manifest",
      message: expect.stringMatching(/p\.json: .*\n {2}size/),
    });
  });

  test("one of no known format is refused as ours, with what is missing", async () => {
    const { model } = await given("q.json", { port: 80 });
    await expect(model).rejects.toMatchObject({
      code: "manifest",
      message: expect.stringMatching(/port: unknown key/),
    });
  });
});
