import { type Rng, resample } from "@camkit/cam-core/data";
import { z } from "zod";
import { defineAugmentation, moved, type Pixels, range } from "./contract.ts";

export type Box = { width: number; height: number; left: number; top: number };

/**
 * Cuts out a part of a random area (as a share of the whole) and proportion (width over height, logarithms uniform), and
 * brings it to the picture's size, bilinear and antialiased. As torchvision's RandomResizedCrop. The mask goes along, nearest.
 */
export const resizedCrop = defineAugmentation(
  z.strictObject({
    kind: z.literal("resized-crop"),
    scale: range(0.001, 1).default([0.08, 1]),
    ratio: range(0.01, 100).default([3 / 4, 4 / 3]),
  }),
  (pixels, { scale, ratio }, rng) => cutOut(pixels, drawBox(pixels, scale, ratio, rng)),
);

function drawBox(whole: Pixels, scale: readonly [number, number], ratio: readonly [number, number], rng: Rng): Box {
  const [narrow, wide] = ratio;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = whole.width * whole.height * rng.uniform(...scale);
    const proportion = Math.exp(rng.uniform(Math.log(narrow), Math.log(wide)));
    const width = Math.round(Math.sqrt(area * proportion));
    const height = Math.round(Math.sqrt(area / proportion));
    if (width > 0 && width <= whole.width && height > 0 && height <= whole.height)
      return { width, height, left: rng.integer(0, whole.width - width), top: rng.integer(0, whole.height - height) };
  }
  // The largest part in the middle that has one of these proportions.
  const width = Math.min(whole.width, Math.round(whole.height * wide));
  const height = Math.min(whole.height, Math.round(whole.width / narrow));
  return { width, height, left: (whole.width - width) >> 1, top: (whole.height - height) >> 1 };
}

export function cutOut(pixels: Pixels, { left, top, ...size }: Box): Pixels {
  const { width, height } = pixels;
  return moved(pixels, (from, channels, isMask) => {
    const data = new Uint8Array(size.width * size.height * channels);
    for (let y = 0; y < size.height; y++) {
      const start = ((top + y) * width + left) * channels;
      data.set(from.subarray(start, start + size.width * channels), y * size.width * channels);
    }
    const kernel = isMask ? "nearest" : "bilinear";
    return resample({ ...size, channels, data }, { width, height, kernel, antialias: true }).data;
  });
}
