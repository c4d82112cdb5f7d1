import { expect, test } from "vitest";
import { windowStarts, windowWeights } from "./windows.ts";

test("windows: the step is int(size · (1 − overlap)), the last one ends with the volume", () => {
  const along = (n: number, size: number, overlap: number) =>
    windowStarts([n, 4, 4], { size: [size, 4, 4], overlap }).map(([z]) => z);
  expect(along(29, 16, 0.5)).toEqual([0, 8, 13]);
  expect(along(24, 16, 0.25)).toEqual([0, 8]);
  expect(along(32, 16, 0)).toEqual([0, 16]);
  expect(along(20, 16, 0.99)).toEqual([0, 1, 2, 3, 4]); // a step of 0 becomes 1
  expect(along(16, 16, 0.5)).toEqual([0]);
  expect(along(11, 16, 0.5)).toEqual([-2]); // padded by 2 before and 3 after
});

test("windows come slices first, then rows, then columns, as MONAI counts them", () => {
  expect(windowStarts([2, 3, 4], { size: [2, 2, 2], overlap: 0.5 })).toEqual([
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 2],
    [0, 1, 0],
    [0, 1, 1],
    [0, 1, 2],
  ]);
});

test("Gaussian weights: the product of three bells, no smaller than 0.001", () => {
  const weights = windowWeights({ size: [4, 4, 4], weights: "gaussian" });
  // σ = 0.5; at ±0.5: e^(−0.5), at ±1.5: e^(−4.5), three of them multiplied
  expect(weights[(1 * 4 + 1) * 4 + 1]).toBeCloseTo(Math.exp(-1.5), 6);
  expect(weights[(1 * 4 + 1) * 4]).toBeCloseTo(Math.exp(-5.5), 6);
  expect(weights[0]).toBeCloseTo(1e-3, 8); // e^(−13.5) is less
});
