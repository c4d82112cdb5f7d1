import { z } from "zod";
import { ConfigError } from "../../errors.ts";
import { defineAugmentation, moved, probability } from "./contract.ts";

/**
 * Mirrors left and right, above and below, or at the diagonal (rows become columns; square pictures only), each with its own
 * probability. All three at 0.5 are the eight symmetries of the square, each as likely. The mask goes with the picture.
 */
export const flip = defineAugmentation(
  z.strictObject({
    kind: z.literal("flip"),
    horizontal: probability.default(0.5),
    vertical: probability.default(0),
    diagonal: probability.default(0),
  }),
  (pixels, { horizontal, vertical, diagonal }, rng) => {
    const { width, height } = pixels;
    if (diagonal > 0 && width !== height)
      throw new ConfigError(`flip at the diagonal wants square pictures, found ${width} x ${height}`);
    const across = rng.unit() < horizontal;
    const down = rng.unit() < vertical;
    const turned = diagonal > 0 && rng.unit() < diagonal;
    if (!across && !down && !turned) return pixels;
    const [stepX, stepY] = turned ? [width, 1] : [1, width];
    return moved(pixels, (from, channels) => {
      const out = new Uint8Array(from.length);
      for (let y = 0, to = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const at = ((down ? height - 1 - y : y) * stepY + (across ? width - 1 - x : x) * stepX) * channels;
          for (let c = 0; c < channels; c++) out[to++] = from[at + c]!;
        }
      return out;
    });
  },
);
