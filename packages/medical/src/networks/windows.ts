import { z } from "zod";
import type { Vec3 } from "../volume/geometry.ts";

/** Windows over a volume that is larger than what a network takes at once. As MONAI's `sliding_window_inference` has them. */
export const slidingWindowSchema = z.strictObject({
  /** Cells: in the order of the network's spatial axes. */
  size: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  /** Share of a window that it has in common with the next one along an axis. */
  overlap: z.number().min(0).lt(1).default(0.25),
  /** How much a window's cells count where windows overlap: all alike, or less towards its edges. */
  weights: z.enum(["constant", "gaussian"]).default("constant"),
});
export type SlidingWindow = z.output<typeof slidingWindowSchema>;

/**
 * Where windows begin, in cells of the volume; below 0 where the volume is smaller than a window and lies in its middle. The step
 * is int(size · (1 − overlap)), at least 1; the last window is moved back to end with the volume.
 * Source: MONAI 1.6, `_get_scan_interval`, `dense_patch_slices`.
 */
export function windowStarts(volume: Vec3, { size, overlap }: Pick<SlidingWindow, "size" | "overlap">): Vec3[] {
  const along = (axis: 0 | 1 | 2): number[] => {
    const n = volume[axis];
    const length = size[axis];
    if (n <= length) return [-Math.floor((length - n) / 2) || 0]; // no −0
    const step = Math.max(1, Math.trunc(length * (1 - overlap)));
    const count = Math.ceil((n - length) / step) + 1;
    return Array.from({ length: count }, (_, i) => Math.min(i * step, n - length));
  };
  const [slices, rows, columns] = [along(0), along(1), along(2)];
  return slices.flatMap((z) => rows.flatMap((y) => columns.map((x): Vec3 => [z, y, x])));
}

/** A Gaussian's sigma, as a share of the window. */
const sigmaShare = 0.125;

/**
 * How much each cell of a window counts: 1, or the product over the axes of exp(−x² / 2σ²), x from the window's middle,
 * σ = 0.125 · size, but nowhere below 0.001, or below the smallest where that is larger.
 * Source: MONAI 1.6, `compute_importance_map`.
 */
export function windowWeights({ size, weights }: Pick<SlidingWindow, "size" | "weights">): Float32Array {
  const [d, h, w] = size;
  if (weights === "constant") return new Float32Array(d * h * w).fill(1);
  const [zs, ys, xs] = size.map((n) =>
    Float32Array.from({ length: n }, (_, i) => Math.exp((i - (n - 1) / 2) ** 2 / (-2 * (sigmaShare * n) ** 2))),
  ) as [Float32Array, Float32Array, Float32Array];
  const out = new Float32Array(d * h * w);
  for (let k = 0, to = 0; k < d; k++)
    for (let r = 0; r < h; r++) for (let c = 0; c < w; c++, to++) out[to] = Math.fround(zs[k]! * ys[r]!) * xs[c]!;
  const least = Math.max(1e-3, zs[0]! * ys[0]! * xs[0]!); // the corner's is the smallest
  return out.map((weight) => Math.max(weight, least));
}
