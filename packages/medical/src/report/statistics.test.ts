import { expect, test } from "vitest";
import type { Geometry } from "../volume/geometry.ts";
import type { VoxelMap } from "../volume/volume.ts";
import { type LungLabels, statistics, voxelMl } from "./statistics.ts";

// 6 slices of 1 × 4, 10 × 5 × 2 mm: a voxel is 0.1 ml. Columns: outside, right, left, left. The head is at the last slice.
const geometry: Geometry = {
  shape: [6, 1, 4],
  spacingMm: [10, 5, 2],
  originMm: [0, 0, -100],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};
const lungs: LungLabels = { slice: (_, into) => into.set([0, 1, 2, 2]) };
const mapOf = (values: readonly (readonly number[])[], of = geometry): VoxelMap => ({
  geometry: of,
  slice: (k, into) => into.set(values[k]!),
});
const map = mapOf([
  [0, 0, 0, 0],
  [0, 0.5, 0, 0],
  [0, 0, 0, 0],
  [0.25, 0, 0.5, 0.75],
  [0, 0, 0, 0],
  [0, 1, 0, 0],
]);

test("per lung and third, by hand", () => {
  const { regions } = statistics(map, lungs, { threshold: 0.5 });
  const of = (lung: string, third = "whole") =>
    regions.find((region) => region.lung === lung && region.third === third);
  // The map's sum is 3. Thirds are two slices each: the lower one is 0 and 1.
  expect(of("right", "lower")).toMatchObject({ mean: 0.25, max: 0.5 });
  expect(of("right", "lower")!.volumeMl).toBeCloseTo(0.2, 12);
  expect(of("right", "lower")!.massShare).toBeCloseTo(0.5 / 3, 12);
  expect(of("right", "lower")!.aboveMl).toBeCloseTo(0.1, 12);
  expect(of("right", "middle")).toMatchObject({ mean: 0, max: 0, massShare: 0, aboveMl: 0 });
  expect(of("right", "upper")).toMatchObject({ mean: 0.5, max: 1 });
  expect(of("right")!.massShare).toBeCloseTo(1.5 / 3, 12);
  expect(of("left", "middle")!.massShare).toBeCloseTo(1.25 / 3, 12);
  expect(of("left", "middle")!.mean).toBeCloseTo(1.25 / 4, 12);
  expect(of("left")!.volumeMl).toBeCloseTo(1.2, 12);
  expect(of("both")!.aboveMl).toBeCloseTo(0.4, 12);
  expect(of("outside")).toMatchObject({ max: 0.25, aboveMl: 0 });
  expect(regions).toHaveLength(10);
});

test("energy, shares along z, and the maximum with its place", () => {
  const found = statistics(map, lungs, { threshold: 0.5 });
  expect(found.energyInLungs).toBeCloseTo(2.75 / 3, 12);
  expect(found.massPerSlice.map((share) => 3 * share)).toEqual([0, 0.5, 0, 1.5, 0, 1]);
  expect(found.peak).toEqual({ index: [5, 0, 1], positionMm: [2, 0, -50], value: 1, tied: 1 });
});

test("turned upside down, upper and lower change places", () => {
  const turned: Geometry = {
    ...geometry,
    directions: [
      [0, 0, -1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  };
  const { regions } = statistics({ ...map, geometry: turned }, lungs, { threshold: 0.5 });
  expect(regions.find(({ lung, third }) => lung === "right" && third === "lower")!.max).toBe(1);
});

test("in sagittal slices thirds go along the rows or columns that lie along z", () => {
  // Slices to the left, rows to the feet, columns to the back: 1 slice of 6 × 1, right lung alone.
  const sagittal: Geometry = {
    shape: [1, 6, 1],
    spacingMm: [3, 10, 3],
    originMm: [0, 0, 0],
    directions: [
      [1, 0, 0],
      [0, 0, -1],
      [0, 1, 0],
    ],
  };
  const { regions } = statistics(
    mapOf([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]], sagittal),
    { slice: (_, into) => into.fill(1) },
    { threshold: 0.5 },
  );
  expect(regions.slice(1, 4).map(({ max }) => Number(max.toFixed(3)))).toEqual([0.2, 0.4, 0.6]); // upper, middle, lower
});

test("a map of zeros has shares of nothing, and equal maxima are counted", () => {
  const zeros = statistics(mapOf(new Array(6).fill([0, 0, 0, 0])), lungs, { threshold: 0.5 });
  expect(zeros.energyInLungs).toBeNaN();
  expect(zeros.massPerSlice.every(Number.isNaN)).toBe(true);
  expect(zeros.peak).toMatchObject({ value: 0, tied: 24 });
});

test("without lungs there are no regions, and a lung that isn't there has no mean", () => {
  expect(statistics(map, undefined, { threshold: 0.5 })).toMatchObject({ regions: [], energyInLungs: undefined });
  const one = statistics(map, { slice: (_, into) => into.set([0, 1, 0, 0]) }, { threshold: 0.5 });
  const left = one.regions.find(({ lung, third }) => lung === "left" && third === "whole")!;
  expect([left.mean, left.max, left.volumeMl]).toEqual([Number.NaN, Number.NaN, 0]);
});

test("a sheared voxel holds what its base and height say", () => {
  const tilted = {
    ...geometry,
    directions: [[0, 0.6, 0.8], geometry.directions[1], geometry.directions[2]],
  } as Geometry;
  expect(voxelMl(tilted)).toBeCloseTo(0.1 * 0.8, 12);
});
