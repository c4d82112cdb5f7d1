import { expect, test } from "vitest";
import { averagePrecision, energyInside, lesionSizes, pointing, pointingByChance } from "./truth.ts";

const lesion = Uint8Array.of(0, 1, 1, 0, 0, 2, 0, 0);

test("pointing counts tied voxels by their share inside", () => {
  expect(pointing([0, 9, 1, 2, 3, 4, 5, 6], lesion)).toBe(1);
  expect(pointing([10, 9, 1, 2, 3, 4, 5, 6], lesion)).toBe(0);
  expect(pointing([7, 7, 7, 2, 3, 7, 5, 6], lesion)).toBe(3 / 4);
  expect(pointing(new Float32Array(8), lesion)).toBe(3 / 8);
  expect(pointing([1, 2], new Uint8Array(2))).toBeNaN();
  expect(pointingByChance(lesion, Uint8Array.of(0, 1, 1, 1, 1, 0, 0, 0))).toBe(3 / 5);
});

test("average precision is scikit-learn's", () => {
  // average_precision_score([0,1,1,0,0,1,0,0], scores), scikit-learn 1.7: by hand, hits at ranks 1, 3 and 6.
  expect(averagePrecision([0.7, 0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], lesion)).toBeCloseTo((1 + 2 / 3 + 3 / 6) / 3, 12);
  // Ties come together: 2 of 4 at the first value, then 1 of 8.
  expect(averagePrecision([5, 5, 5, 5, 1, 1, 1, 1], lesion)).toBeCloseTo((2 / 3) * (2 / 4) + (1 / 3) * (3 / 8), 12);
  expect(averagePrecision(new Float32Array(8), lesion)).toBeCloseTo(3 / 8, 12);
  expect(averagePrecision([0, 1, 1, 0, 0, 1, 0, 0], lesion)).toBe(1);
  expect(averagePrecision([1, 2], new Uint8Array(2))).toBeNaN();
});

test("energy and sizes", () => {
  expect(energyInside([1, 2, 3, 4, 0, 0, 0, 10], lesion)).toBeCloseTo(5 / 20, 12);
  expect(energyInside(new Float32Array(8), lesion)).toBeNaN();
  const geometry = {
    shape: [2, 2, 2],
    spacingMm: [5, 2, 2],
    originMm: [0, 0, 0],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  } as const;
  expect(lesionSizes(lesion, geometry)).toEqual([
    { number: 1, voxels: 2, volumeMl: 0.04 },
    { number: 2, voxels: 1, volumeMl: 0.02 },
  ]);
});
