import { z } from "zod";
import { defineAugmentation, type Pixels, probability, range } from "./contract.ts";

/**
 * Gaussian blur; sigma in pixels. The kernel reaches three sigma, the picture is mirrored beyond its edge. As torchvision's
 * gaussian_blur with kernel_size = 2 ceil(3 sigma) + 1.
 */
export const blur = defineAugmentation(
  z.strictObject({
    kind: z.literal("blur"),
    sigma: range(0.01, 50).default([0.1, 2]),
    probability: probability.default(0.5),
  }),
  (pixels, { sigma, probability }, rng) => {
    const [chosen, drawn] = [rng.unit() < probability, rng.uniform(...sigma)];
    return chosen ? blurred(pixels, drawn) : pixels;
  },
);

export function blurred(pixels: Pixels, sigma: number): Pixels {
  const { width, height, channels, data } = pixels;
  const row = width * channels;
  const across = new Float32Array(data.length);
  const out = new Uint8ClampedArray(data.length); // rounds halves to even, as torch.round does
  const wide = kernelOf(sigma, width);
  for (let y = 0; y < height; y++)
    for (let c = 0; c < channels; c++) line(data, across, y * row + c, channels, width, wide);
  const tall = kernelOf(sigma, height);
  for (let i = 0; i < row; i++) line(across, out, i, row, height, tall);
  return { ...pixels, data: new Uint8Array(out.buffer) };
}

/** Weights of the middle, and of those at a distance of 1, 2, … on either side. */
function kernelOf(sigma: number, length: number): Float64Array {
  const reach = Math.min(Math.ceil(3 * sigma), length - 1); // mirroring needs as many pixels
  const weights = Float64Array.from({ length: reach + 1 }, (_, d) => Math.exp(-0.5 * (d / sigma) ** 2));
  const total = 2 * weights.reduce((sum, weight) => sum + weight, 0) - weights[0]!;
  return weights.map((weight) => weight / total);
}

/** One row or column of `length` samples, `step` apart. */
function line(
  from: Uint8Array | Float32Array,
  to: Float32Array | Uint8ClampedArray,
  start: number,
  step: number,
  length: number,
  kernel: Float64Array,
): void {
  const last = length - 1;
  for (let i = 0; i < length; i++) {
    let sum = kernel[0]! * from[start + i * step]!;
    for (let d = 1; d < kernel.length; d++) {
      const before = Math.abs(i - d);
      const after = last - Math.abs(last - (i + d));
      sum += kernel[d]! * (from[start + before * step]! + from[start + after * step]!);
    }
    to[start + i * step] = sum;
  }
}
