import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadVolume } from "../src/dicom/pixels/index.ts";
import { resampled } from "../src/dicom/resampling.ts";
import { scanOf } from "../src/dicom/scan-of.ts";
import { openStudy } from "../src/dicom/study.ts";
import type { Geometry } from "../src/volume/geometry.ts";
import { indexOf, positionOf } from "../src/volume/geometry.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-irregular-"));
afterAll(() => rmSync(folder, { recursive: true }));

const half = Math.SQRT1_2;
/** Oblique and anisotropic, and its slices are stacked at 14° to their normal: 0.5 mm along the rows for each 2 mm. */
const tilted: Geometry = {
  shape: [9, 14, 12],
  spacingMm: [2, 1.25, 0.75],
  originMm: [-30, 12, 100],
  directions: [
    [0, -half, half],
    [0, half, half],
    [1, 0, 0],
  ],
};
const field = ([x, y, z]: readonly number[]) => 8 * x! - 4 * y! + 6 * z!;

test("a tilted oblique series with a gap, from files to the values of the field that it was drawn from", async () => {
  const [slices, rows, columns] = tilted.shape;
  const placed = (k: number) => ({ ...tilted, originMm: positionOf(tilted, [k, (0.5 * k) / 1.25, 0]) });
  const data = new Float32Array(slices * rows * columns).map((_, i) => {
    const [k, inSlice] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    return field(positionOf(placed(k), [0, Math.floor(inSlice / columns), inSlice % columns]));
  });
  await writeCtSeries({ geometry: tilted, data }, folder, {
    key: "tilted",
    patientId: "P",
    edit: (dataset, k) =>
      k === 4 ? undefined : { ...dataset, ImagePositionPatient: placed(k).originMm.map((value) => value.toFixed(6)) },
  });
  const { series } = await openStudy([folder]);
  expect(() => scanOf(series[0]!)).toThrow(expect.objectContaining({ kind: "gap" }));
  const { scan, source, resampling } = scanOf(series[0]!, { allowIrregular: true });
  expect(scan.notes).toEqual([
    "resampled: 1 slice is missing: 4 mm between IM0004.dcm and IM0006.dcm, 2 mm elsewhere",
    expect.stringMatching(/^resampled: the slices are tilted by 14\.04° \(gantry tilt\)/),
  ]);
  // 8 · 0.5 mm are 3.2 rows.
  expect(scan.geometry.shape).toEqual([9, 18, 12]);

  const outside = -30000;
  const volume = resampled(await loadVolume(source), resampling!, outside);
  expect(volume.geometry).toEqual(scan.geometry);
  let inside = 0;
  for (const [i, value] of volume.data.entries()) {
    const index = [Math.floor(i / (18 * 12)), Math.floor((i % (18 * 12)) / 12), i % 12] as const;
    const [, row] = indexOf(placed(index[0]), positionOf(scan.geometry, index));
    // Rows that the slice doesn't reach, and at the gap those that one of its neighbours doesn't.
    const margin = index[0] === 4 ? 0.4 : 0;
    if (row < -0.01) expect(value === outside || margin > 0).toBe(true);
    if (row < margin || row > rows - 1 - margin) continue;
    expect(Math.abs(value - field(positionOf(scan.geometry, index)))).toBeLessThan(0.51); // stored in whole numbers
    inside++;
  }
  expect(inside).toBeGreaterThan(9 * 12 * 12);
});
