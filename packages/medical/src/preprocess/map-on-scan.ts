import type { Tensor } from "@camkit/cam-core/data";
import type { Geometry, Vec3 } from "../volume/geometry.ts";
import type { VoxelMap } from "../volume/volume.ts";
import { networkCoordinates, type Placement } from "./placement.ts";

/** Added to a map's range before dividing by it, as in cam-core's finish: a constant map becomes 0. */
const epsilon = 1e-7;

/**
 * A raw map [d, h, w] over a network's input, on the scan's own grid: (relu(map) − min) / (max − min) over the whole volume,
 * never slice by slice, then linear between the cells' centres (half-pixel), 0 where the network saw nothing.
 *
 * The map's cells divide the network's input evenly: cell m of d lies at (m + ½) · D / d − ½ on an axis of D.
 *
 * `signed`: without relu, (map − min) / (max − min), as the CovidNet3D paper draws its CAM; 0 is then the least, not "no evidence".
 */
export function mapOnScan(
  raw: Tensor,
  placement: Placement,
  geometry: Geometry,
  { signed = false }: { signed?: boolean } = {},
): VoxelMap {
  const shape = raw.shape.slice(-3) as unknown as Vec3; // [1, d, h, w] or [d, h, w]
  return { geometry, slice: onScan(minMax(raw.data as Float32Array, signed), shape, placement, geometry.shape) };
}

/** The same without scaling: fills `into` [rows, columns] with slice k of the scan. */
export function onScan(
  data: Float32Array,
  shape: Vec3,
  placement: Placement,
  scanShape: Vec3,
): (k: number, into: Float32Array) => void {
  const { cells, order } = inScanOrder(data, shape, placement);
  const [slices, rows, columns] = order.map((axis, scanAxis) => {
    const along = placement.axes[axis]!;
    return tapsAlong(networkCoordinates(along, scanShape[scanAxis]!), along.centres.length, shape[axis]!);
  }) as [AxisTaps, AxisTaps, AxisTaps];
  const [, h, w] = order.map((axis) => shape[axis]!) as [number, number, number];
  const plane = new Float32Array(h * w);
  const line = new Float32Array(w);
  return (k, into) => {
    into.fill(0);
    if (slices.low[k]! < 0) return;
    if (!blend(cells, h * w, slices, k, plane)) return;
    for (let r = 0; r < scanShape[1]; r++) {
      if (rows.low[r]! < 0) continue;
      if (!blend(plane, w, rows, r, line)) continue;
      const at = r * scanShape[2];
      for (let c = 0; c < scanShape[2]; c++) {
        const low = columns.low[c]!;
        if (low >= 0) into[at + c] = line[low]! + columns.t[c]! * (line[columns.high[c]!]! - line[low]!);
      }
    }
  };
}

/** For each index of the scan the two cells to mix and the share of the second; low is −1 outside. */
type AxisTaps = { low: Int32Array; high: Int32Array; t: Float32Array };

function tapsAlong(coordinates: Float64Array, depth: number, cells: number): AxisTaps {
  const low = new Int32Array(coordinates.length).fill(-1);
  const high = new Int32Array(coordinates.length);
  const t = new Float32Array(coordinates.length);
  coordinates.forEach((u, i) => {
    if (Number.isNaN(u)) return;
    const m = Math.min(cells - 1, Math.max(0, ((u + 0.5) * cells) / depth - 0.5));
    low[i] = Math.floor(m);
    high[i] = Math.min(cells - 1, low[i]! + 1);
    t[i] = m - low[i]!;
  });
  return { low, high, t };
}

/** One of the planes (or lines) of `size` elements that lie between two others. Returns whether there is anything but 0 in it. */
function blend(from: Float32Array, size: number, { low, high, t }: AxisTaps, at: number, into: Float32Array): boolean {
  const a = low[at]! * size;
  const b = high[at]! * size;
  const share = t[at]!;
  let any = false;
  for (let i = 0; i < size; i++) {
    const value = from[a + i]! + share * (from[b + i]! - from[a + i]!);
    into[i] = value;
    if (value !== 0) any = true;
  }
  return any;
}

/** The map with its axes in the scan's order; `order[scanAxis]` is the network's axis that lies along it. */
function inScanOrder(data: Float32Array, shape: Vec3, { axes }: Placement) {
  const order = [0, 1, 2].map((scanAxis) => axes.findIndex((axis) => axis.scanAxis === scanAxis));
  if (order.every((axis, i) => axis === i)) return { cells: data, order };
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [n0, n1, n2] = order.map((axis) => shape[axis]!) as [number, number, number];
  const [s0, s1, s2] = order.map((axis) => strides[axis]!) as [number, number, number];
  const cells = new Float32Array(data.length);
  for (let i = 0, to = 0; i < n0; i++)
    for (let j = 0; j < n1; j++) for (let k = 0; k < n2; k++, to++) cells[to] = data[i * s0 + j * s1 + k * s2]!;
  return { cells, order };
}

function minMax(raw: Float32Array, signed: boolean): Float32Array {
  const floor = signed ? Number.NEGATIVE_INFINITY : 0;
  let low = Number.POSITIVE_INFINITY;
  let high = floor;
  for (const value of raw) {
    low = Math.min(low, Math.max(floor, value));
    high = Math.max(high, value);
  }
  return raw.map((value) => (Math.max(floor, value) - low) / (high - low + epsilon));
}
