import { float32, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { buildLoss, type LossItem } from "./index.ts";
import { lossAt } from "./loss-at.ts";

const A = float32(
  [2, 3, 2, 2],
  [
    -1.82, 0.73, -0.73, 1.82, 0.36, -1.09, 1.45, 0, -1.45, 1.09, -0.36, -1.82, 0.73, -0.73, 1.82, 0.36, -1.09, 1.45, 0,
    -1.45, 1.09, -0.36, -1.82, 0.73,
  ],
);
const w = float32([2, 3], [-1.71, 1.14, 0, -1.14, 1.71, 0.57]);
const label = float32([2, 2], [1, 0, 1, 1]);
const lossOf = (item: LossItem, features = A) =>
  lossAt(
    (op) => buildLoss({ op, outputs: { logits: "logits" }, fields: { label: "label" } }, item).loss,
    { features, w, label, logits: label } as Record<string, Tensor>,
    ["features", "w"],
  );

// PyTorch 2.13, float64: y = logsumexp(r · einsum("ck,nkhw->nchw", w, A), cells) - log(4), binary_cross_entropy_with_logits.
test.each([
  {
    sharpness: 0.1,
    value: 0.710775111,
    slopes: [0.0003513, -0.0042892, 0.009943, -0.0081586, 0.0048423, -0.0069757],
    cells: [0.0026531, 0.0009193, 0.0016784, 0.0009732],
  },
  {
    sharpness: 1.5,
    value: 0.888026672,
    slopes: [0.0215143, -0.0301755, 0.0127399, -0.3079392, 0.453204, -0.1787608],
    cells: [-0.0489456, -0.0001501, -0.3556055, -3.15e-5],
  },
])("sharpness $sharpness: PyTorch's value and gradient", async ({ sharpness, value, slopes, cells }) => {
  const found = await lossOf({ cells: { layer: "features", weights: "w", sharpness } });
  expect(found.value).toBeCloseTo(value, 5);
  const data = (name: string) => found.gradients[name]!.data as Float32Array;
  for (const [i, slope] of slopes.entries()) expect(data("w")[i]).toBeCloseTo(slope, 5);
  for (const [i, slope] of cells.entries()) expect(data("features")[i]).toBeCloseTo(slope, 5);
});

test("maps far beyond an exponential's range stay finite", async () => {
  const far = float32(
    A.shape,
    [...(A.data as Float32Array)].map((value) => 1e4 * value),
  );
  const { value, gradients } = await lossOf({ cells: { layer: "features", weights: "w" } }, far);
  expect(Number.isFinite(value)).toBe(true);
  expect([...(gradients.w!.data as Float32Array)].every(Number.isFinite)).toBe(true);
});

test.each<[Record<string, unknown>, string]>([
  [{ layer: "feature", weights: "w" }, 'cells: layer "feature" is unknown'],
  [{ layer: "features", weights: "label" }, 'its weights "label" are [2, 2]'],
  [{ layer: "features" }, "cells.weights: "],
])("%o is refused", async (options, message) => {
  await expect(lossOf({ cells: options })).rejects.toThrow(message);
});
