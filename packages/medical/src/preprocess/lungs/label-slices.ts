import type { Vec3 } from "../../volume/geometry.ts";
import { onScan } from "../map-on-scan.ts";
import { networkCoordinates, type Placement } from "../placement.ts";

/** Columns of the scan that lie between two neighbouring cells, and how near to the second. */
type Interval = { readonly from: number; readonly to: number; readonly low: number; readonly high: number };

/**
 * Labels of cells [slices, rows, columns] on the scan's grid, slice by slice: a voxel has a label where, linear between cells'
 * centres, at least half of it has. Between two cells that agree nothing needs to be computed, and most do.
 */
export function labelSlices(
  labels: Uint8Array,
  wanted: readonly number[],
  shape: Vec3,
  placement: Placement,
): (k: number, into: Uint8Array) => void {
  const { scanShape } = placement;
  const across = placement.axes.findIndex(({ scanAxis }) => scanAxis === 2);
  const cells = shape[across]!;
  // Slices and rows as any map's; along columns the cells themselves.
  const axes = placement.axes.map((axis, i) =>
    i === across
      ? { scanAxis: 2, centres: Array.from({ length: cells }, (_, cell) => cell), span: [-0.5, cells - 0.5] }
      : axis,
  ) as unknown as Placement["axes"];
  const narrow: Vec3 = [scanShape[0], scanShape[1], cells];
  const fills = wanted.map((label) => {
    const share = Float32Array.from(labels, (at) => Number(at === label));
    return { label, fill: onScan(share, shape, { axes, scanShape: narrow }, narrow) };
  });
  const coordinates = networkCoordinates(placement.axes[across]!, scanShape[2]);
  const t = Float32Array.from(coordinates, (at) => at - Math.floor(at));
  const intervals = intervalsOf(coordinates, cells);
  const plane = new Float32Array(narrow[1] * cells);
  return (k, into) => {
    into.fill(0);
    for (const { label, fill } of fills) {
      fill(k, plane);
      for (let row = 0; row < narrow[1]; row++) {
        const [line, at] = [row * cells, row * scanShape[2]];
        for (let i = 0; i < intervals.length; i++) {
          const { from, to, low, high } = intervals[i]!;
          const a = plane[line + low]!;
          const b = plane[line + high]!;
          if (a < 0.5 && b < 0.5) continue;
          if (a >= 0.5 && b >= 0.5) into.fill(label, at + from, at + to);
          else for (let c = from; c < to; c++) if (Math.fround(a + t[c]! * (b - a)) >= 0.5) into[at + c] = label;
        }
      }
    }
  };
}

function intervalsOf(coordinates: Float64Array, cells: number): Interval[] {
  const found: Interval[] = [];
  for (let from = 0; from < coordinates.length; ) {
    const low = Math.floor(coordinates[from]!); // NaN where no cell covers the scan
    let to = from + 1;
    while (to < coordinates.length && Math.floor(coordinates[to]!) === low) to++;
    if (!Number.isNaN(low)) found.push({ from, to, low, high: Math.min(cells - 1, low + 1) });
    from = to;
  }
  return found;
}
