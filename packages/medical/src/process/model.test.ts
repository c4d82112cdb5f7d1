import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeModel } from "@camkit/cam-core";
import { tinyModel } from "@camkit/cam-core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScanModel } from "./model.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "camkit-scan-model-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A network for volumes, and files relative to its folder. */
function laid(model: string, files: Readonly<Record<string, unknown>>): string {
  const path = join(folder, model);
  const { graph } = tinyModel({ image: [1, 1, 8, 8, 8] }, (op, { image }) => ({ pred: op.relu(image!) }));
  mkdirSync(dirname(path), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = join(dirname(path), name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
  }
  writeFileSync(path, writeModel(graph).model);
  return path;
}

const data = { type: "image", num_channels: 1, spatial_shape: [8, 8, 8], is_patch_data: true };
const metadata = {
  name: "Spleen",
  network_data_format: { inputs: { image: data }, outputs: { pred: { ...data, num_channels: 2 } } },
};
const inference = { inferer: { _target_: "SlidingWindowInferer", roi_size: [8, 8, 8], overlap: 0.5 } };

test("a MONAI bundle: configs beside the folder of the model, or the file that is given", async () => {
  const bundle = { "../configs/metadata.json": metadata, "../configs/inference.json": inference };
  const path = laid("bundle/models/model.onnx", bundle);
  const found = await openScanModel(path);
  expect(found.model.manifest?.name).toBe("Spleen");
  expect(found.model.manifestFrom?.files).toEqual(["../configs/metadata.json", "../configs/inference.json"]);
  expect(found.medical.slidingWindow).toMatchObject({ size: [8, 8, 8], overlap: 0.5 });
  const given = join(folder, "bundle/configs/metadata.json");
  expect((await openScanModel(laid("alone/model.onnx", {}), { manifest: given })).medical).toEqual(found.medical);
});

test("ours wins over what lies beside it", async () => {
  const own = { formatVersion: 1, name: "ours", extensions: { medical: { task: "classification" } } };
  const path = laid("own/model.onnx", { "model.camkit.json": own, "metadata.json": metadata });
  expect((await openScanModel(path)).model.manifest?.name).toBe("ours");
});

test("what can't be followed is refused by name, found or given", async () => {
  const plans = { "plans.json": { dataset_name: "d", configurations: {} } };
  await expect(openScanModel(laid("nnunet/model.onnx", plans))).rejects.toThrow(
    /plans\.json: dataset\.json, .* isn't beside it/,
  );
  const two = { name: "x", network_data_format: { inputs: { a: data, b: data }, outputs: { pred: data } } };
  const path = laid("two/model.onnx", { "metadata.json": two });
  await expect(openScanModel(path)).rejects.toMatchObject({
    code: "manifest",
    message: expect.stringMatching(/2 inputs/),
  });
});

test("a config.json that describes pictures says nothing of scans", async () => {
  const path = laid("hub/model.onnx", { "config.json": { model_type: "vit", id2label: { 0: "cat" } } });
  expect((await openScanModel(path)).model.manifest).toBeUndefined();
});
