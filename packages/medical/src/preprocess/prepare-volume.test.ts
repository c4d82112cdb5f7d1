import { expect, test } from "vitest";
import { type Geometry, positionOf, type Vec3 } from "../volume/geometry.ts";
import { mapOnScan } from "./map-on-scan.ts";
import type { AxisPlacement } from "./placement.ts";
import { prepareVolume } from "./prepare-volume.ts";
import { grids, scanOf } from "./test-scans.ts";
import type { VolumeOptions } from "./volume-options.ts";

/** Linear in all three directions: trilinear sampling is exact. HU = x + 10 y + 100 z / 10, LPS mm. */
const ramp = (p: Vec3) => Math.round(p[0] + 2 * p[1] + 3 * p[2]);
const small = (grid: string): Pick<Geometry, "shape" | "spacingMm" | "directions"> => ({
  ...grids[grid]!,
  shape: [9, 12, 10],
  spacingMm: [2, 4, 4],
});
const intensity: VolumeOptions["intensity"] = { kind: "window", windowHu: [-1000, 1000], range: [-1000, 1000] };
const cases: Record<string, VolumeOptions> = {
  "as MONAI's: RAS": { kind: "volume", orientation: "RAS", intensity },
  "an axial stack, resampled": { kind: "volume", orientation: "SPL", spacingMm: [3, 2, 5], intensity },
  "LPI, to a size": { kind: "volume", orientation: "LPI", size: [7, 15, 6], intensity },
};
const at = ({ scanAxis, centres }: AxisPlacement, i: number, into: number[]) => {
  into[scanAxis] = centres[i]!;
};

test.each(["axial", "head first, prone", "coronal"].flatMap((grid) => Object.keys(cases).map((name) => [grid, name])))(
  "%s, %s: each cell holds what lies where its placement says",
  (grid, name) => {
    const volume = scanOf(ramp, small(grid!));
    const { tensor, placement } = prepareVolume(volume, cases[name!]!);
    const [, , d, h, w] = tensor.shape as [number, number, number, number, number];
    const data = tensor.data as Float32Array;
    const index = [0, 0, 0];
    for (let z = 0, cell = 0; z < d; z++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++, cell++) {
          for (const [axis, i] of [z, y, x].entries()) at(placement.axes[axis]!, i, index);
          const p = positionOf(volume.geometry, index as unknown as Vec3);
          expect(Math.abs(data[cell]! - (p[0] + 2 * p[1] + 3 * p[2]))).toBeLessThan(1.01); // HU are whole numbers
        }
    // The directions are the letters': the first cell is farthest from where they point.
    const first = [0, 0, 0];
    const last = [0, 0, 0];
    placement.axes.forEach((axis) => {
      at(axis, 0, first);
      at(axis, axis.centres.length - 1, last);
    });
    const [a, b] = [first, last].map((i) => positionOf(volume.geometry, i as unknown as Vec3)) as [Vec3, Vec3];
    const signs = { R: [0, -1], L: [0, 1], A: [1, -1], P: [1, 1], S: [2, 1], I: [2, -1] } as const;
    for (const letter of cases[name!]!.orientation!) {
      const [axis, sign] = signs[letter as keyof typeof signs];
      expect((b[axis]! - a[axis]!) * sign).toBeGreaterThan(0);
    }
  },
);

test.each(Object.keys(cases))("%s: a marked cell comes back to its place within a voxel", (name) => {
  const volume = scanOf(ramp, small("oblique"));
  const { tensor, placement } = prepareVolume(volume, cases[name]!);
  const shape = tensor.shape.slice(2) as unknown as Vec3;
  const marked = shape.map((n) => Math.floor(n / 3)) as unknown as Vec3;
  // A cone: a single cell may lie between the voxels of a coarser scan, where it leaves no trace.
  const raw = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let i = 0; i < raw.length; i++) {
    const cell = [Math.floor(i / (shape[1] * shape[2])), Math.floor(i / shape[2]) % shape[1], i % shape[2]];
    raw[i] = Math.max(0, 4 - Math.hypot(...cell.map((n, axis) => n - marked[axis]!)));
  }
  const map = mapOnScan({ dtype: "float32", shape, data: raw }, placement, volume.geometry);
  const wanted = [0, 0, 0];
  for (const [i, axis] of placement.axes.entries()) at(axis, marked[i]!, wanted);
  const plane = new Float32Array(12 * 10);
  let best = { value: -1, index: [0, 0, 0] };
  for (let k = 0; k < 9; k++) {
    map.slice(k, plane);
    plane.forEach((value, i) => {
      if (value > best.value) best = { value, index: [k, Math.floor(i / 10), i % 10] };
    });
  }
  for (const axis of [0, 1, 2]) expect(Math.abs(best.index[axis]! - wanted[axis]!)).toBeLessThanOrEqual(1);
});

test("intensities: a window clipped, and nnU-Net's CT normalisation", () => {
  const two = scanOf((p) => (p[0] < 0 ? -2000 : 140), { ...grids.axial!, shape: [1, 1, 2] });
  const window = prepareVolume(two, { kind: "volume", intensity: { kind: "window", windowHu: [-60, 340] } });
  expect([...(window.tensor.data as Float32Array)]).toEqual([0, 0.5]);
  const ct: VolumeOptions["intensity"] = { kind: "ct-normalisation", clipHu: [-1000, 300], meanHu: -100, stdHu: 240 };
  const normal = prepareVolume(two, { kind: "volume", intensity: ct });
  expect([...(normal.tensor.data as Float32Array)]).toEqual([-3.75, 1]);
});

test("an orientation that names one direction twice, size beside spacing: refused", () => {
  const two = scanOf(() => 0, { ...grids.axial!, shape: [1, 1, 2] });
  expect(() => prepareVolume(two, { kind: "volume", orientation: "RLS" })).toThrow(/one letter/);
  expect(() => prepareVolume(two, { kind: "volume", size: [1, 1, 1], spacingMm: [1, 1, 1] })).toThrow(/no meaning/);
});

/** MONAI 1.6.1: Orientation("RAS"), then Spacing((1.7, 1.1, 3.1), mode="bilinear") of the same array and affine. */
test("resampled as MONAI resamples", () => {
  const at = (i: number) => [Math.floor(i / 42), Math.floor(i / 7) % 6, i % 7] as const;
  const data = Float32Array.from({ length: 210 }, (_, i) => {
    const [k, r, c] = at(i);
    return Math.round(1000 * Math.sin(0.9 * k + 0.4 * r * r + 0.7 * c));
  });
  const geometry: Geometry = {
    shape: [5, 6, 7],
    spacingMm: [2, 1.5, 1],
    originMm: [0, 0, 0],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  };
  const { tensor } = prepareVolume(
    { geometry, data },
    { kind: "volume", orientation: "RAS", spacingMm: [1.7, 1.1, 3.1], intensity },
  );
  expect(tensor.shape).toEqual([1, 1, 5, 8, 4]);
  const values = tensor.data as Float32Array;
  const cell = (x: number, y: number, z: number) => values[(x * 8 + y) * 4 + z]!;
  const wanted = [825.88, -395.795, -53.121, 629.706, -164.16];
  for (const [y, value] of wanted.entries()) expect(cell(1, y, 1)).toBeCloseTo(value, 2);
  expect(cell(4, 6, 3)).toBeCloseTo(-631.4, 2);
  expect(cell(4, 7, 3)).toBeCloseTo(-443, 2);
  expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(-1147.28, 1);
});
