import { float32 } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import type { Geometry } from "../volume/geometry.ts";
import { mapOnScan } from "./map-on-scan.ts";
import type { Placement } from "./placement.ts";

const geometry: Geometry = {
  shape: [5, 1, 4],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};
/** Slices 0, 2 and 4 of five; the first three of four columns, turned round, as three cells. */
const placement: Placement = {
  axes: [
    { scanAxis: 0, centres: [0, 2, 4], span: [-0.5, 4.5] },
    { scanAxis: 1, centres: [0], span: [-0.5, 0.5] },
    { scanAxis: 2, centres: [2, 1, 0], span: [-0.5, 2.5] },
  ],
  scanShape: [5, 1, 4],
};
const slices = (raw: number[], signed = false) => {
  const map = mapOnScan(float32([3, 1, 3], raw), placement, geometry, { signed });
  return Array.from({ length: 5 }, (_, k) => {
    const plane = new Float32Array(4);
    map.slice(k, plane);
    return [...plane].map((value) => Math.round(value * 1e4) / 1e4);
  });
};

test("by hand: turned columns, linear between kept slices, 0 outside the crop, one scale for the volume", () => {
  expect(slices([0, 1, 2, 0, 0, 0, 0, 0, 4])).toEqual([
    [0.5, 0.25, 0, 0],
    [0.25, 0.125, 0, 0],
    [0, 0, 0, 0],
    [0.5, 0, 0, 0],
    [1, 0, 0, 0],
  ]);
});

test("what is negative counts as 0, unless the map is signed", () => {
  expect(slices([-2, 0, 0, 0, 0, 0, 0, 0, 2])[0]).toEqual([0, 0, 0, 0]);
  expect(slices([-2, 0, 0, 0, 0, 0, 0, 0, 2], true)[0]).toEqual([0.5, 0.5, 0, 0]);
});

test("a constant map is 0, not a hot spot", () => {
  expect(
    slices([3, 3, 3, 3, 3, 3, 3, 3, 3])
      .flat()
      .every((value) => value === 0),
  ).toBe(true);
});
