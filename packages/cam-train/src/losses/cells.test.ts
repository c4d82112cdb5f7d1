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
const b = float32([2], [0.4, -0.9]);
const label = float32([2, 2], [1, 0, 1, 1]);
const lossOf = (item: LossItem, features = A) =>
  lossAt(
    (op) => buildLoss({ op, outputs: { logits: "logits" }, fields: { label: "label" } }, item).loss,
    { features, w, b, label, logits: label } as Record<string, Tensor>,
    ["features", "w", ...(JSON.stringify(item).includes('"bias"') ? ["b"] : [])],
  );

// PyTorch 2.13, float64: M = einsum("ck,nkhw->nchw", w, A) + b, y = (logsumexp(r · M, cells) - log(4)) / r,
// binary_cross_entropy_with_logits(y, label).
test.each([
  {
    sharpness: 0.1,
    bias: undefined,
    value: 0.924519064,
    slopes: [-0.0263793, -0.0287112, 0.0793745, -0.1004588, 0.054724, -0.0757624],
    cells: [0.0010806, -0.0054199, -0.0081451, -0.0038644],
    shifts: [],
  },
  {
    sharpness: 1.5,
    bias: "b",
    value: 0.493995858,
    slopes: [0.0299892, -0.0371415, 0.018594, -0.1352845, 0.1815546, -0.0815193],
    cells: [-0.0187641, -8.16e-5, -0.1923632, -1.7e-5],
    shifts: [-0.0308293, 0.1454271],
  },
])("sharpness $sharpness: PyTorch's value and gradient", async ({ sharpness, bias, value, slopes, cells, shifts }) => {
  const found = await lossOf({ cells: { layer: "features", weights: "w", sharpness, ...(bias ? { bias } : {}) } });
  expect(found.value).toBeCloseTo(value, 5);
  const near = (name: string, wanted: readonly number[]) => {
    for (const [i, slope] of wanted.entries()) expect(found.gradients[name]!.data[i]).toBeCloseTo(slope, 5);
  };
  near("w", slopes);
  near("features", cells);
  near("b", shifts);
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
  [{ layer: "features", weights: "w", bias: "w" }, 'its bias "w" is [2, 3]'],
  [{ layer: "features" }, "cells.weights: "],
])("%o is refused", async (options, message) => {
  await expect(lossOf({ cells: options })).rejects.toThrow(message);
});
