import { expect, test } from "vitest";
import { at, ctInstances, smallGeometry } from "../../test/ct-instances.ts";
import type { Geometry } from "../volume/geometry.ts";
import { indexOf, positionOf } from "../volume/geometry.ts";
import { type Resampling, resampled, resampleSlice } from "./resampling.ts";
import { scanOf } from "./scan-of.ts";
import { seriesOf } from "./series.ts";

const geometry: Geometry = { ...smallGeometry(2), shape: [2, 3, 2] };

test("two sources, one of them moved by half a row and a column, by hand", () => {
  const plan: Resampling = {
    geometry,
    sourceShape: [2, 1],
    slices: [
      { below: 0, above: 0, weight: 0 },
      { below: 0, above: 1, weight: 0.25 },
    ],
    offsetsPx: [
      [0, 0],
      [0.5, 1],
    ],
  };
  const sources = [Float32Array.of(10, 20), Float32Array.of(100, 300)];
  const reused = new Float32Array(2); // as a reader's buffer: a plan mustn't keep it
  const source = (i: number) => {
    reused.set(sources[i]!);
    return reused;
  };
  const slice = new Float32Array(6);
  resampleSlice(plan, 0, source, slice, -1);
  expect([...slice]).toEqual([10, -1, 20, -1, -1, -1]);
  // Row 1, column 1 of the second source lies between its rows: (100 + 300) / 2. Where only one source reaches, it counts alone.
  resampleSlice(plan, 1, source, slice, -1);
  expect([...slice]).toEqual([10, -1, 20, 200, -1, -1]);
});

test("between two slices: linear", () => {
  const plan: Resampling = {
    geometry: { ...geometry, shape: [1, 1, 2] },
    sourceShape: [1, 2],
    slices: [{ below: 0, above: 1, weight: 0.25 }],
    offsetsPx: [
      [0, 0],
      [0, 0],
    ],
  };
  const slice = new Float32Array(2);
  resampleSlice(
    plan,
    0,
    (i) =>
      [
        [0, 8],
        [4, -8],
      ][i]!,
    slice,
    -1,
  );
  expect([...slice]).toEqual([1, 4]);
});

test("a linear field that a tilted and uneven series samples comes back as it was", () => {
  const heights = [0, 2.5, 5, 8, 10.5, 13];
  const field = ([x, y, z]: readonly number[]) => 3 * x! - 2 * y! + 5 * z!;
  const instances = ctInstances(6, { edit: (dataset, k) => at(dataset, [-10, -20 + 0.3 * heights[k]!, heights[k]!]) });
  const { series } = seriesOf(instances);
  const { scan, source, resampling } = scanOf(series[0]!, { allowIrregular: true });
  const [, rows, columns] = smallGeometry(6).shape;
  const data = Float32Array.from({ length: 6 * rows * columns }, (_, i) => {
    const k = Math.floor(i / (rows * columns));
    const corner = source.slices[k]!.instance.frames[0]!.positionMm!;
    const inSlice = i % (rows * columns);
    return field([corner[0] + 0.6 * (inSlice % columns), corner[1] + 0.8 * Math.floor(inSlice / columns), corner[2]]);
  });
  const outside = -1e6;
  const volume = resampled({ geometry: source.geometry, data }, resampling!, outside);
  expect(volume.geometry).toEqual(scan.geometry);
  let compared = 0;
  volume.data.forEach((value, i) => {
    if (value === outside) return;
    const [, r, c] = volume.geometry.shape;
    const index = [Math.floor(i / (r * c)), Math.floor((i % (r * c)) / c), i % c] as const;
    const position = positionOf(volume.geometry, index);
    // Where only one of two neighbours reaches, the value is that neighbour's; in all other voxels it is exact.
    const { below, above, weight } = resampling!.slices[index[0]]!;
    const reaches = [below, above].every((s) => {
      const corner = source.slices[s]!.instance.frames[0]!.positionMm!;
      const [, row] = indexOf({ ...source.geometry, originMm: [corner[0], corner[1], position[2]] }, position);
      return row >= -1e-3 && row <= rows - 1 + 1e-3;
    });
    if (!reaches && weight > 0) return;
    expect(value).toBeCloseTo(field(position), 3);
    compared++;
  });
  expect(compared).toBe(80);
});
