import { type Geometry, positionOf } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { inPlane } from "./irregular.ts";
import type { Slice } from "./slice.ts";
import { depthsOf, evenWithinMm, median } from "./spacing.ts";

/**
 * How a regular grid is filled from slices that don't lie on one. Target slice k is
 *
 *   (1 - weight) · source[below] + weight · source[above]
 *
 * each moved in its plane by its `offsetsPx`, bilinearly: target (r, c) lies at (r - offset[0], c - offset[1]) of the source.
 */
export type Resampling = {
  readonly geometry: Geometry;
  /** Of the sources: [rows, columns]. */
  readonly sourceShape: readonly [number, number];
  readonly slices: readonly { readonly below: number; readonly above: number; readonly weight: number }[];
  /** By source: where its first voxel lies on the target's grid, [rows, columns]. */
  readonly offsetsPx: readonly (readonly [number, number])[];
};

/** Of a pixel: what is nearer is there. */
const exact = 1e-3;

/**
 * The plan for slices in order along their normal, no two at one place. The grid goes from the first slice to the last, its spacing
 * as near the median of theirs as that allows: around a gap, all slices stay what they are. It is wide enough for all of them.
 */
export function resamplingOf(slices: readonly Slice[], grid: Geometry): Resampling {
  const first = slices[0]!;
  const depths = depthsOf(slices);
  const usual = median(depths.slice(1).map((depth, i) => depth - depths[i]!));
  const count = Math.round(depths.at(-1)! / usual) + 1;
  const spacing = depths.at(-1)! / (count - 1);
  const [, rows, columns] = grid.shape;
  const [, rowMm, columnMm] = grid.spacingMm;
  const places = slices.map((slice) => {
    const [alongRow, alongColumn] = inPlane(slice, first);
    return [alongRow / rowMm, alongColumn / columnMm] as const;
  });
  const start = [0, 1].map((axis) => Math.min(...places.map((place) => place[axis]!))) as [number, number];
  const end = [0, 1].map((axis) => Math.max(...places.map((place) => place[axis]!))) as [number, number];
  const more = (axis: 0 | 1) => Math.ceil(end[axis] - start[axis] - exact);
  return {
    geometry: {
      ...grid,
      shape: [count, rows + more(0), columns + more(1)],
      spacingMm: [spacing, rowMm, columnMm],
      originMm: positionOf(grid, [0, ...start]),
    },
    sourceShape: [rows, columns],
    slices: Array.from({ length: count }, (_, k) => between(depths, k * spacing, evenWithinMm(spacing))),
    offsetsPx: places.map(([row, column]) => [row - start[0], column - start[1]]),
  };
}

function between(depths: readonly number[], depth: number, near: number): Resampling["slices"][number] {
  const here = depths.findIndex((d) => Math.abs(d - depth) <= near);
  if (here >= 0) return { below: here, above: here, weight: 0 };
  const above = depths.findIndex((d) => d > depth);
  const below = above - 1;
  return { below, above, weight: (depth - depths[below]!) / (depths[above]! - depths[below]!) };
}

/**
 * Fills `into` [rows, columns of the target] with slice k. `source(i)`: source i's values, [rows, columns of the source]; it may be
 * overwritten by the next call. Where no source reaches, `outside` is written; where one of two does, its value.
 */
export function resampleSlice(
  plan: Resampling,
  k: number,
  source: (i: number) => ArrayLike<number>,
  into: Float32Array,
  outside: number,
): void {
  const { below, above, weight } = plan.slices[k]!;
  moved(plan, below, source(below), into);
  if (weight > 0) {
    const upper = new Float32Array(into.length);
    moved(plan, above, source(above), upper);
    for (let i = 0; i < into.length; i++) {
      const [a, b] = [into[i]!, upper[i]!];
      into[i] = Number.isNaN(a) ? b : Number.isNaN(b) ? a : a + weight * (b - a);
    }
  }
  for (let i = 0; i < into.length; i++) if (Number.isNaN(into[i]!)) into[i] = outside;
}

/** One source on the target's grid; NaN where it doesn't reach. */
function moved(
  { sourceShape, offsetsPx, geometry }: Resampling,
  i: number,
  source: ArrayLike<number>,
  into: Float32Array,
) {
  const [rows, columns] = sourceShape;
  const [, targetRows, targetColumns] = geometry.shape;
  const [rowOffset, columnOffset] = offsetsPx[i]!;
  for (let r = 0; r < targetRows; r++) {
    const y = position(r - rowOffset, rows);
    for (let c = 0; c < targetColumns; c++) {
      const x = position(c - columnOffset, columns);
      into[r * targetColumns + c] = y === undefined || x === undefined ? Number.NaN : bilinear(source, columns, y, x);
    }
  }
}

type Position = readonly [low: number, high: number, share: number];

/** The neighbours of a place along one axis; undefined outside. */
function position(at: number, count: number): Position | undefined {
  const low = Math.floor(at + exact);
  const share = Math.abs(at - low) <= exact ? 0 : at - low;
  if (low < 0 || low + (share > 0 ? 1 : 0) >= count) return undefined;
  return [low, share > 0 ? low + 1 : low, share];
}

function bilinear(source: ArrayLike<number>, columns: number, [y0, y1, v]: Position, [x0, x1, u]: Position): number {
  const top = source[y0 * columns + x0]! * (1 - u) + source[y0 * columns + x1]! * u;
  if (v === 0) return top;
  const bottom = source[y1 * columns + x0]! * (1 - u) + source[y1 * columns + x1]! * u;
  return top * (1 - v) + bottom * v;
}

/**
 * A volume of the sources on the regular grid, float32. `outside` fills what no source reaches; by default the lowest value, air
 * in CT.
 */
export function resampled(volume: Volume, plan: Resampling, outside = lowest(volume.data)): Volume {
  const [count, rows, columns] = plan.geometry.shape;
  const size = plan.sourceShape[0] * plan.sourceShape[1];
  const data = new Float32Array(count * rows * columns);
  const source = (i: number) => volume.data.subarray(i * size, (i + 1) * size);
  for (let k = 0; k < count; k++)
    resampleSlice(plan, k, source, data.subarray(k * rows * columns, (k + 1) * rows * columns), outside);
  return { geometry: plan.geometry, data };
}

function lowest(data: Volume["data"]): number {
  let value = Number.POSITIVE_INFINITY;
  for (const v of data) if (v < value) value = v;
  return value;
}
