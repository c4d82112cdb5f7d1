import { z } from "zod";
import { defineAugmentation, type Pixels } from "./contract.ts";

const probability = z.number().min(0).max(1);

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
    const { data, mask } = pixels;
    return {
      ...pixels,
      data: flipped(data, pixels, pixels.channels, across, down),
      ...(mask && { mask: flipped(mask, pixels, 1, across, down) }),
    };
  },
);

function flipped(from: Uint8Array, { width, height }: Pixels, channels: number, across: boolean, down: boolean) {
  const out = new Uint8Array(from.length);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = ((down ? height - 1 - y : y) * width + (across ? width - 1 - x : x)) * channels;
      for (let c = 0; c < channels; c++) out[to++] = from[at + c]!;
    }
  return out;
}
