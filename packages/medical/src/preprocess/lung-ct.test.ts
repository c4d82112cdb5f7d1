import { describe, expect, test } from "vitest";
import { NoLungsError } from "../errors.ts";
import { positionOf, type Vec3 } from "../volume/geometry.ts";
import { prepareLungCt } from "./lung-ct.ts";
import { mapOnScan } from "./map-on-scan.ts";
import type { LungCtOptions } from "./options.ts";
import { chestHu, grids, scanOf } from "./test-scans.ts";

const options: Record<string, LungCtOptions> = {
  lungs: { size: [32, 48, 48] },
  "black outside": { size: [32, 48, 48], outside: "black" },
  none: { size: [24, 40, 48], crop: "none" },
  paper: { size: [24, 40, 40], crop: "paper", slices: "paper" },
  "spaced, several windows": { size: [8, 40, 40], slices: { spacingMm: 9 } },
};

/** Where a ball of tissue lies inside the right lung: LPS, mm. */
const ball: Vec3 = [-70, 10, 12];
const withBall = (p: Vec3) => (Math.hypot(p[0] - ball[0], p[1] - ball[1], p[2] - ball[2]) < 10 ? 300 : chestHu(p));

describe.each(Object.keys(grids))("%s", (grid) => {
  const volume = scanOf(withBall, grids[grid]!);

  test.each(Object.keys(options))("%s: what is marked in the input is found on the scan, within a voxel", (name) => {
    const { tensor, placement } = prepareLungCt(volume, options[name]!);
    const [, , d, h, w] = tensor.shape as [number, number, number, number, number];
    const data = tensor.data as Float32Array;
    // The ball is the only bright thing: its cells' centre of mass, weighted above soft tissue (40 HU: 0.689).
    const bright = data.map((value) => Math.max(0, value - 0.72));
    const raw = { dtype: "float32" as const, shape: [d, h, w], data: bright };
    const map = mapOnScan(raw, placement, volume.geometry);
    const [slices, rows, columns] = volume.geometry.shape;
    const plane = new Float32Array(rows * columns);
    const sum = [0, 0, 0, 0];
    for (let k = 0; k < slices; k++) {
      map.slice(k, plane);
      plane.forEach((value, at) => {
        const p = positionOf(volume.geometry, [k, Math.floor(at / columns), at % columns]);
        sum[3]! += value;
        for (const axis of [0, 1, 2]) sum[axis]! += value * p[axis]!;
      });
    }
    const centre = [0, 1, 2].map((axis) => sum[axis]! / sum[3]!);
    for (const axis of [0, 1, 2]) expect(Math.abs(centre[axis]! - ball[axis]!)).toBeLessThan(6);
  });

  test("the same chest gives the same input, however the scan lies", () => {
    const { tensor, lungMask } = prepareLungCt(volume, { size: [16, 24, 24] });
    const reference = prepareLungCt(scanOf(withBall, grids.axial!), { size: [16, 24, 24] });
    const a = tensor.data as Float32Array;
    const b = reference.tensor.data as Float32Array;
    const apart = a.reduce((total, value, i) => total + Math.abs(value - b[i]!), 0) / a.length;
    expect(apart).toBeLessThan(grid === "oblique" ? 0.09 : 0.03);
    const ml = (4 / 3) * Math.PI * 55 * 80 * 100 * 1e-3;
    expect(lungMask!.volumeMl.right / ml).toBeGreaterThan(0.93);
    expect(lungMask!.volumeMl.right / ml).toBeLessThan(1.07);
    expect(lungMask!.volumeMl.right).toBeGreaterThan(lungMask!.volumeMl.left);
  });
});

test("the mask on the scan's own grid: right and left lung, no trachea", () => {
  const volume = scanOf(chestHu, { ...grids.axial!, shape: [60, 140, 184], spacingMm: [4, 2, 2] });
  const { lungMask } = prepareLungCt(volume, { size: [8, 8, 8] });
  const [, rows, columns] = volume.geometry.shape;
  const plane = new Uint8Array(rows * columns);
  const dice = { agree: 0, sum: 0 };
  for (let k = 0; k < 60; k++) {
    lungMask!.slice(k, plane);
    plane.forEach((label, at) => {
      const p = positionOf(volume.geometry, [k, Math.floor(at / columns), at % columns]);
      const wanted = chestHu(p) === -850 ? (p[0] < 0 ? 1 : 2) : 0;
      dice.agree += label === wanted && label > 0 ? 2 : 0;
      dice.sum += Number(label > 0) + Number(wanted > 0);
    });
  }
  expect(dice.agree / dice.sum).toBeGreaterThan(0.97);
});

test("a box of water: refused, or taken whole where that was asked for, with a note", () => {
  const water = scanOf(() => 0, { ...grids.axial!, shape: [8, 20, 20] });
  expect(() => prepareLungCt(water, { size: [4, 8, 8] })).toThrow(NoLungsError);
  expect(() => prepareLungCt(water, { size: [4, 8, 8], crop: "none", outside: "black" })).toThrow(NoLungsError);
  const { report, lungMask, tensor } = prepareLungCt(water, { size: [4, 8, 8], crop: "none" });
  expect(lungMask).toBeUndefined();
  expect(report.notes).toEqual(["no lungs were found: the whole scan was taken"]);
  expect((tensor.data as Float32Array)[0]).toBeCloseTo(1200 / 1800, 6);
});

test("options: an unknown key and a window upside down are refused", () => {
  const water = scanOf(() => 0, { ...grids.axial!, shape: [2, 4, 4] });
  expect(() => prepareLungCt(water, { size: [1, 2, 2], crop: "none", widnow: 1 } as never)).toThrow(/widnow/);
  expect(() => prepareLungCt(water, { size: [1, 2, 2], crop: "none", windowHu: [600, -1200] })).toThrow(/low < high/);
});
