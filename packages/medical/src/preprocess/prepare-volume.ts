import type { Tensor } from "@camkit/cam-core/data";
import type { Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { type Directions, type ScanAxis, scanAxes, turned, viewOf } from "./orient.ts";
import type { AxisPlacement, Placement } from "./placement.ts";
import { type VolumeOptions, type VolumeSettings, volumeSchema } from "./volume-options.ts";

export type PreparedVolume = {
  /** float32 [1, 1, ...], three spatial axes in the network's order. */
  readonly tensor: Tensor;
  readonly placement: Placement;
  readonly report: { readonly settings: VolumeSettings; readonly notes: readonly string[]; readonly words: string };
};

/** LPS directions by letter. */
const letters: Readonly<Record<string, Vec3>> = {
  R: [-1, 0, 0],
  L: [1, 0, 0],
  A: [0, -1, 0],
  P: [0, 1, 0],
  S: [0, 0, 1],
  I: [0, 0, -1],
};

/**
 * A scan as the input of a 3-D network: axes exchanged and turned to the wanted orientation (nearest, never rotated), resampled
 * (trilinear without antialiasing, the first cell on the first voxel, as MONAI's Spacing does; `size`: half-pixel), intensities
 * scaled. Throws ZodError for options that aren't ones.
 */
export function prepareVolume({ geometry, data }: Volume, options: VolumeOptions): PreparedVolume {
  const settings = volumeSchema.parse(options);
  const { orientation, spacingMm, size } = settings;
  const axes = scanAxes(geometry, [...orientation].map((letter) => letters[letter]!) as unknown as Directions);
  const view = viewOf(geometry.shape, axes);
  const cells = axes.map(({ axis }, i) =>
    cellsAlong(view.shape[i]!, geometry.spacingMm[axis], spacingMm?.[i], size?.[i]),
  );
  const scale = intensityOf(settings.intensity);
  const shape = cells.map((at) => at.length) as unknown as Vec3;
  const out = new Float32Array(shape[0] * shape[1] * shape[2]);
  const outStrides = [shape[1] * shape[2], shape[2], 1];
  // In the order in which the scan lies in memory, whatever the network's: eight reads a cell, one write.
  const order = [0, 1, 2].sort((a, b) => Math.abs(view.strides[b]!) - Math.abs(view.strides[a]!));
  const [zs, ys, xs] = order.map((i) => tapsOf(cells[i]!, view.shape[i]!, view.strides[i]!)) as [Taps, Taps, Taps];
  const [toZ, toY, toX] = order.map((i) => outStrides[i]!) as [number, number, number];
  for (let z = 0; z < zs.t.length; z++)
    for (let y = 0; y < ys.t.length; y++) {
      const [a, b] = [view.offset + zs.low[z]!, view.offset + zs.high[z]!];
      const [aa, ab, ba, bb] = [a + ys.low[y]!, a + ys.high[y]!, b + ys.low[y]!, b + ys.high[y]!];
      const [tz, ty] = [zs.t[z]!, ys.t[y]!];
      const [waa, wab, wba, wbb] = [(1 - tz) * (1 - ty), (1 - tz) * ty, tz * (1 - ty), tz * ty];
      for (let x = 0, to = z * toZ + y * toY; x < xs.t.length; x++, to += toX) {
        const low = xs.low[x]!;
        let hu = waa * data[aa + low]! + wab * data[ab + low]! + wba * data[ba + low]! + wbb * data[bb + low]!;
        const t = xs.t[x]!;
        if (t > 0) {
          const high = xs.high[x]!;
          const next =
            waa * data[aa + high]! + wab * data[ab + high]! + wba * data[ba + high]! + wbb * data[bb + high]!;
          hu += t * (next - hu);
        }
        out[to] = scale(hu);
      }
    }
  const placed = (i: number) => placementOf(axes[i]!, view.shape[i]!, cells[i]!);
  return {
    tensor: { dtype: "float32", shape: [1, 1, ...shape], data: out },
    placement: { axes: [placed(0), placed(1), placed(2)], scanShape: geometry.shape },
    report: { settings, notes: [], words: wordsOf(settings, shape) },
  };
}

/** Indices along a view's axis at which cells lie. */
function cellsAlong(n: number, spacing: number, wanted: number | undefined, size: number | undefined): number[] {
  if (size !== undefined)
    return Array.from({ length: size }, (_, i) => Math.min(n - 1, Math.max(0, ((i + 0.5) * n) / size - 0.5)));
  if (wanted === undefined) return Array.from({ length: n }, (_, i) => i);
  // As many as come closest to the extent from the first voxel's centre to the last one's; a cell beyond that repeats it.
  const count = Math.round(((n - 1) * spacing) / wanted) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(n - 1, (i * wanted) / spacing));
}

/** For each cell of an axis the offsets of the two voxels to mix, and the share of the second. */
type Taps = { low: Int32Array; high: Int32Array; t: Float64Array };

function tapsOf(cells: readonly number[], n: number, stride: number): Taps {
  const low = Int32Array.from(cells, (at) => Math.floor(at) * stride);
  const high = Int32Array.from(cells, (at) => Math.min(n - 1, Math.floor(at) + 1) * stride);
  return { low, high, t: Float64Array.from(cells, (at) => at - Math.floor(at)) };
}

function placementOf(from: ScanAxis, n: number, cells: readonly number[]): AxisPlacement {
  return { scanAxis: from.axis, centres: cells.map((at) => turned(from, n, at)), span: [-0.5, n - 0.5] };
}

function intensityOf(intensity: VolumeSettings["intensity"]): (hu: number) => number {
  if (intensity.kind === "window") {
    const { windowHu, range } = intensity;
    const slope = (range[1] - range[0]) / (windowHu[1] - windowHu[0]);
    return (hu) => range[0] + (Math.min(windowHu[1], Math.max(windowHu[0], hu)) - windowHu[0]) * slope;
  }
  const { clipHu, meanHu, stdHu } = intensity;
  return (hu) => (Math.min(clipHu[1], Math.max(clipHu[0], hu)) - meanHu) / stdHu;
}

function wordsOf({ orientation, spacingMm, intensity }: VolumeSettings, shape: Vec3): string {
  const values =
    intensity.kind === "window"
      ? `window ${intensity.windowHu.join(" to ")} HU`
      : `HU clipped to ${intensity.clipHu.join(" to ")}, mean ${intensity.meanHu}, standard deviation ${intensity.stdHu}`;
  return `volume: ${values}, ${orientation}${spacingMm ? `, ${spacingMm.join(" x ")} mm` : ""}, ${shape.join(" x ")}`;
}
