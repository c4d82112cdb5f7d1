import { z } from "zod";
import { defineAugmentation, moved, probability } from "./contract.ts";

/** Mirrors left and right, or above and below, each with its own probability. The mask goes with the picture. */
export const flip = defineAugmentation(
  z.strictObject({
    kind: z.literal("flip"),
    horizontal: probability.default(0.5),
    vertical: probability.default(0),
  }),
  (pixels, { horizontal, vertical }, rng) => {
    const across = rng.unit() < horizontal;
    const down = rng.unit() < vertical;
    if (!across && !down) return pixels;
    const { width, height } = pixels;
    return moved(pixels, (from, channels) => {
      const out = new Uint8Array(from.length);
      for (let y = 0, to = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const at = ((down ? height - 1 - y : y) * width + (across ? width - 1 - x : x)) * channels;
          for (let c = 0; c < channels; c++) out[to++] = from[at + c]!;
        }
      return out;
    });
  },
);
