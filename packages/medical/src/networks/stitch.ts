import type { Tensor } from "@camkit/cam-core/data";
import type { Vec3 } from "../volume/geometry.ts";

/** A window's cells out of a volume [1, C, D, H, W]: [1, C, ...size], 0 beyond the volume. */
export function windowOf(volume: Tensor, start: Vec3, size: Vec3): Tensor {
  const channels = volume.shape[1]!;
  const shape = volume.shape.slice(2) as unknown as Vec3;
  const data = volume.data as Float32Array;
  const out = new Float32Array(channels * size[0] * size[1] * size[2]);
  const stride = shape[0] * shape[1] * shape[2];
  for (let channel = 0; channel < channels; channel++)
    eachRun(shape, start, size, (from, to, length) => {
      const at = channel * stride + from;
      out.set(data.subarray(at, at + length), (channel * out.length) / channels + to);
    });
  return { dtype: "float32", shape: [1, channels, ...size], data: out };
}

/**
 * Windows' values put together on the volume's grid: at each cell the mean over the windows that hold it, weighted by their
 * weights there,
 *
 *   out(v) = Σ_j g(v − o_j) · x_j(v − o_j) / Σ_j g(v − o_j)      o_j: where window j begins, g: `windowWeights`
 *
 * It holds the sums alone: one number per channel and cell, and one for the weights.
 */
export class Stitcher {
  readonly #sums: Float32Array;
  readonly #weights: Float32Array;
  constructor(
    readonly channels: number,
    readonly shape: Vec3,
  ) {
    const cells = shape[0] * shape[1] * shape[2];
    this.#sums = new Float32Array(channels * cells);
    this.#weights = new Float32Array(cells);
  }

  /** Adds a window [channels, ...size]; undefined for one that is 0 throughout. */
  add(values: Float32Array | undefined, start: Vec3, size: Vec3, weights: Float32Array): void {
    const cells = this.#weights.length;
    eachRun(this.shape, start, size, (at, from, length) => {
      for (let i = 0; i < length; i++) this.#weights[at + i]! += weights[from + i]!;
      if (!values) return;
      for (let channel = 0; channel < this.channels; channel++) {
        const to = channel * cells + at;
        const x = channel * weights.length + from;
        for (let i = 0; i < length; i++) this.#sums[to + i]! += weights[from + i]! * values[x + i]!;
      }
    });
  }

  /** The means, [channels, ...shape]. Nothing can be added after it. */
  means(): Tensor {
    const cells = this.#weights.length;
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i]! /= this.#weights[i % cells]!;
    return { dtype: "float32", shape: [this.channels, ...this.shape], data: this.#sums };
  }
}

/** The rows that a window and a volume have in common, as offsets in both and a length. */
function eachRun(
  shape: Vec3,
  start: Vec3,
  size: Vec3,
  visit: (inVolume: number, inWindow: number, length: number) => void,
): void {
  const low = start.map((at) => Math.max(0, at)) as unknown as Vec3;
  const high = start.map((at, axis) => Math.min(shape[axis]!, at + size[axis]!)) as unknown as Vec3;
  for (let z = low[0]; z < high[0]; z++)
    for (let y = low[1]; y < high[1]; y++)
      visit(
        (z * shape[1] + y) * shape[2] + low[2],
        ((z - start[0]) * size[1] + y - start[1]) * size[2] + low[2] - start[2],
        high[2] - low[2],
      );
}
