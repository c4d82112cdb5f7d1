import { loadModel } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { accuracyOf, meanAims, measurePhantoms } from "../src/chest-ct/index.ts";
import { drawThorax, medicalManifest, phantoms, prepareLungCt, thoraxGeometry, thoraxThickness } from "../src/index.ts";

const model = await loadModel(new URL("../../../models/chest-ct/model.onnx", import.meta.url).pathname);
const medical = medicalManifest(model.manifest)!;
const size: [number, number, number] = [48, 96, 96];
/** The first of the test seeds. */
const first = 4_000_000;

test("a scan gets into the shipped model as its training samples did", () => {
  const sample = phantoms({ first, count: 1, size }).load(0) as Record<string, { data: Float32Array }>;
  const { preprocess } = medical;
  if (preprocess?.kind !== "lung-ct") throw new Error("the manifest names no preparation");
  const { volume } = drawThorax(first, {
    geometry: thoraxGeometry(first, { size: 192, slices: 77 }),
    thicknessMm: thoraxThickness(first),
  });
  const prepared = prepareLungCt(volume, preprocess).tensor.data as Float32Array;
  // Training keeps 16 bits of each number.
  const worst = prepared.reduce((most, value, i) => Math.max(most, Math.abs(value - sample.input!.data[i]!)), 0);
  expect(worst).toBeLessThan(1e-5);
});

test("the shipped model answers and points as its manifest says", async () => {
  const way = { name: "shipped", method: medical.method!, layers: medical.layers! };
  const cases = await measurePhantoms(model, phantoms({ first, count: 12, size }), { ways: [way], threads: 1 });
  const { pointing, averagePrecision, cases: aimed } = meanAims(cases, "shipped");
  const stated = (name: string) => model.manifest!.results![name]!;
  expect(aimed).toBe(8);
  // Of twelve: one more may be wrong than of three hundred are.
  expect(accuracyOf(cases)).toBeGreaterThanOrEqual(stated("accuracy").value - 2 / 12);
  expect(pointing).toBeGreaterThanOrEqual(stated("pointing-game").value - 2 / 8);
  expect(Math.abs(averagePrecision - stated("average-precision").value)).toBeLessThan(0.15);
});
