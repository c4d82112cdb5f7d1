import { z } from "zod";
import { defineAugmentation, probability, range } from "./contract.ts";

/**
 * Puts a box of one value (0..255), or of noise, over the picture: its area as a share of the whole, its proportion height over
 * width, logarithms uniform. As torchvision's RandomErasing. The mask stays: what is hidden is still there.
 * Source: arXiv:1708.04896.
 */
export const erase = defineAugmentation(
  z.strictObject({
    kind: z.literal("erase"),
    area: range(0, 1).default([0.02, 0.33]),
    ratio: range(0.01, 100).default([0.3, 3.3]),
    value: z.union([z.int().min(0).max(255), z.literal("noise")]).default(0),
    probability: probability.default(0.5),
  }),
  (pixels, { area, ratio, value, probability }, rng) => {
    if (rng.unit() >= probability) return pixels;
    const { width, height, channels } = pixels;
    for (let attempt = 0; attempt < 10; attempt++) {
      const pixelsInside = width * height * rng.uniform(...area);
      const proportion = Math.exp(rng.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
      const boxHeight = Math.round(Math.sqrt(pixelsInside * proportion));
      const boxWidth = Math.round(Math.sqrt(pixelsInside / proportion));
      if (boxHeight >= height || boxWidth >= width) continue;
      const top = rng.integer(0, height - boxHeight);
      const left = rng.integer(0, width - boxWidth);
      const data = pixels.data.slice();
      for (let y = top; y < top + boxHeight; y++)
        for (let i = (y * width + left) * channels; i < (y * width + left + boxWidth) * channels; i++)
          data[i] = value === "noise" ? rng.integer(0, 255) : value;
      return { ...pixels, data };
    }
    return pixels; // no box of these proportions fits
  },
);
