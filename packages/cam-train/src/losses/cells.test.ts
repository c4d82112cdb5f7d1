import { float32, int64, type Tensor } from "@camkit/cam-core";
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

// PyTorch 2.13, float64: y = logsumexp(r · (einsum("ck,nkhw->nchw", w, A) - θ), cells) - log(4),
// binary_cross_entropy_with_logits(y, label).
test.each([
  {
    sharpness: 0.1,
    threshold: 0,
    value: 0.710775111,
    slopes: [0.0003513, -0.0042892, 0.009943, -0.0081586, 0.0048423, -0.0069757],
    cells: [0.0026531, 0.0009193, 0.0016784, 0.0009732],
  },
  {
    sharpness: 1.5,
    threshold: 0.8,
    value: 0.661178084,
    slopes: [0.0660282, -0.0907988, 0.0394066, -0.2655917, 0.3799473, -0.1560378],
    cells: [-0.0305292, -0.000138, -0.3252874, -2.86e-5],
  },
])(
  "sharpness $sharpness, threshold $threshold: PyTorch's value and gradient",
  async ({ sharpness, threshold, value, slopes, cells }) => {
    const found = await lossOf({ cells: { layer: "features", weights: "w", sharpness, threshold } });
    expect(found.value).toBeCloseTo(value, 5);
    const data = (name: string) => found.gradients[name]!.data as Float32Array;
    for (const [i, slope] of slopes.entries()) expect(data("w")[i]).toBeCloseTo(slope, 5);
    for (const [i, slope] of cells.entries()) expect(data("features")[i]).toBeCloseTo(slope, 5);
  },
);

test("cells of a volume are cells: the same numbers with a third axis", async () => {
  const item = { cells: { layer: "features", weights: "w", sharpness: 1.5, threshold: 0.8 } };
  const deep = await lossOf(item, float32([2, 3, 2, 1, 2], [...(A.data as Float32Array)]));
  expect(deep.value).toBeCloseTo(0.661178084, 5);
  expect((deep.gradients.features!.data as Float32Array)[2]).toBeCloseTo(-0.3252874, 5);
});

test("a class number is a yes for its output and a no for the others", async () => {
  const item = { cells: { layer: "features", weights: "w" } };
  const numbers = { features: A, w, label: int64([2], [1, 0]), logits: label } as Record<string, Tensor>;
  const each = { ...numbers, label: float32([2, 2], [0, 1, 1, 0]) };
  const at = (inputs: Record<string, Tensor>) =>
    lossAt((op) => buildLoss({ op, outputs: { logits: "logits" }, fields: { label: "label" } }, item).loss, inputs, [
      "w",
    ]);
  expect(await at(numbers)).toEqual(await at(each));
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
