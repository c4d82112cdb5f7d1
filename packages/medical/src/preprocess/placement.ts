import type { Vec3 } from "../volume/geometry.ts";
import { type ScanAxis, turned } from "./orient.ts";

/** Where the cells of one axis of a network's input lie along an axis of the scan. */
export type AxisPlacement = {
  readonly scanAxis: 0 | 1 | 2;
  /** For each cell the scan's index at its centre; falls where the axis is turned round, repeats where slices do. */
  readonly centres: readonly number[];
  /** The indices of the scan that the axis covers, from edge to edge: what lies outside was not seen. */
  readonly span: readonly [number, number];
};

/** Where a network's input [slices, rows, columns] lies in the scan it was made from. */
export type Placement = {
  readonly axes: readonly [AxisPlacement, AxisPlacement, AxisPlacement];
  /** Voxels of the scan: [slices, rows, columns]. */
  readonly scanShape: Vec3;
};

/** Kept slices, as indices along the view's axis. Each stands for what is nearer to it than half the step to the next. */
export function slicesPlacement(from: ScanAxis, size: number, kept: readonly number[]): AxisPlacement {
  const centres = kept.map((index) => turned(from, size, index));
  const distinct = [...new Set(kept)];
  const step = distinct.length > 1 ? (distinct.at(-1)! - distinct[0]!) / (distinct.length - 1) : 1;
  const ends = [centres[0]!, centres.at(-1)!].sort((a, b) => a - b);
  const within = (index: number) => Math.min(size - 0.5, Math.max(-0.5, index));
  return { scanAxis: from.axis, centres, span: [within(ends[0]! - step / 2), within(ends[1]! + step / 2)] };
}

/**
 * `length` voxels from `begin` on, resized to `cells`, of which `first` … `first + count − 1` are kept: half-pixel, cell i lies
 * at begin + (i + ½) · length / cells − ½.
 */
export function resizedPlacement(
  from: ScanAxis,
  size: number,
  {
    begin,
    length,
    cells,
    first = 0,
    count = cells,
  }: { begin: number; length: number; cells: number; first?: number; count?: number },
): AxisPlacement {
  const scale = length / cells;
  const at = (cell: number) => turned(from, size, begin + (cell + 0.5) * scale - 0.5);
  const edges = [at(first - 0.5), at(first + count - 0.5)].sort((a, b) => a - b);
  return {
    scanAxis: from.axis,
    centres: Array.from({ length: count }, (_, i) => at(first + i)),
    span: [edges[0]!, edges[1]!],
  };
}

/**
 * For each index of the scan's axis the network's coordinate, NaN outside the span. Between centres it is linear, beyond the
 * first and last one it stays. Where several cells have one centre, their mean.
 */
export function networkCoordinates({ centres, span }: AxisPlacement, size: number): Float64Array {
  const knots = new Map<number, { sum: number; n: number }>();
  centres.forEach((centre, cell) => {
    const knot = knots.get(centre) ?? { sum: 0, n: 0 };
    knots.set(centre, { sum: knot.sum + cell, n: knot.n + 1 });
  });
  const sorted = [...knots].map(([at, { sum, n }]) => ({ at, cell: sum / n })).sort((a, b) => a.at - b.at);
  const out = new Float64Array(size).fill(Number.NaN);
  for (let index = 0, next = 0; index < size; index++) {
    if (index < span[0] || index > span[1]) continue;
    while (next < sorted.length && sorted[next]!.at < index) next++;
    const above = sorted[Math.min(next, sorted.length - 1)]!;
    const below = sorted[Math.max(0, Math.min(next, sorted.length) - 1)]!;
    const t = above.at === below.at ? 0 : Math.min(1, Math.max(0, (index - below.at) / (above.at - below.at)));
    out[index] = below.cell + t * (above.cell - below.cell);
  }
  return out;
}
