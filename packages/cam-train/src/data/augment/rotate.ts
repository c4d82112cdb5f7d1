import { z } from "zod";
import { defineAugmentation, moved, type Pixels, range } from "./contract.ts";

/**
 * Turns the picture about its centre, by an angle in degrees counter-clockwise, bilinear; `fill` (0..255) comes in at the
 * corners. As torchvision's rotate of a tensor. The mask goes along, nearest, 0 at the corners.
 */
export const rotate = defineAugmentation(
  z.strictObject({
    kind: z.literal("rotate"),
    /** From -degrees to degrees, or [low, high]. */
    degrees: z.union([z.number().positive().max(180), range(-180, 180)]),
    fill: z.int().min(0).max(255).default(0),
  }),
  (pixels, { degrees, fill }, rng) => {
    const [low, high] = typeof degrees === "number" ? [-degrees, degrees] : degrees;
    return turned(pixels, rng.uniform(low, high), fill);
  },
);

export function turned(pixels: Pixels, degrees: number, fill: number): Pixels {
  const { width, height } = pixels;
  const angleRad = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angleRad), Math.sin(angleRad)];
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  return moved(pixels, (from, channels, isMask) => {
    const sample = isMask ? nearest : bilinear;
    const out = new Uint8ClampedArray(from.length); // rounds halves to even, as torch.round does
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++, to += channels) {
        const [u, v] = [x - centerX, y - centerY];
        const [sourceX, sourceY] = [u * cos - v * sin + centerX, u * sin + v * cos + centerY];
        sample(from, { width, height, channels, fill }, sourceX, sourceY, out, to);
      }
    return new Uint8Array(out.buffer);
  });
}

type Ground = { width: number; height: number; channels: number; fill: number };

/** The four pixels around (x, y); those outside of the picture are `fill`. */
function bilinear(from: Uint8Array, ground: Ground, x: number, y: number, out: Uint8ClampedArray, to: number): void {
  const { width, height, channels, fill } = ground;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [x - left, y - top];
  const at = (column: number, row: number, c: number) =>
    column < 0 || row < 0 || column >= width || row >= height ? fill : from[(row * width + column) * channels + c]!;
  for (let c = 0; c < channels; c++) {
    const upper = at(left, top, c) * (1 - right) + at(left + 1, top, c) * right;
    const lower = at(left, top + 1, c) * (1 - right) + at(left + 1, top + 1, c) * right;
    out[to + c] = upper * (1 - below) + lower * below;
  }
}

function nearest(
  from: Uint8Array,
  { width, height }: Ground,
  x: number,
  y: number,
  out: Uint8ClampedArray,
  to: number,
): void {
  const [column, row] = [Math.round(x), Math.round(y)];
  if (column >= 0 && row >= 0 && column < width && row < height) out[to] = from[row * width + column]!;
}
