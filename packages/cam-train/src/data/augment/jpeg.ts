import { decodePicture, encodePicture } from "@camkit/cam-core/data";
import { z } from "zod";
import { decodeSmallJpeg } from "../small-jpeg.ts";
import { defineAugmentation, type Pixels, probability } from "./contract.ts";

const quality = z.int().min(1).max(100);

/**
 * Saves the picture as a JPEG of a random quality, chroma at full resolution, and reads it again: its traces stop telling where
 * a picture comes from. The dearest of all: 1 to 2 ms even for a small picture.
 */
export const jpeg = defineAugmentation(
  z.strictObject({
    kind: z.literal("jpeg"),
    quality: z
      .tuple([quality, quality])
      .refine(([low, high]) => low <= high, "expected [low, high]")
      .readonly()
      .default([30, 95]),
    probability: probability.default(0.5),
  }),
  (pixels, { quality, probability }, rng) => {
    const [chosen, drawn] = [rng.unit() < probability, rng.integer(...quality)];
    return chosen ? saved(pixels, drawn) : pixels;
  },
);

export async function saved(pixels: Pixels, quality: number): Promise<Pixels> {
  const { width, height, channels, data } = pixels;
  const rgb = channels === 3 ? data : Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!);
  const file = await encodePicture({ width, height, rgb }, { format: "jpeg", quality });
  const back = (await decodeSmallJpeg(file)) ?? (await decodePicture(file));
  return { ...pixels, data: channels === 3 ? back.rgb : back.rgb.filter((_, i) => i % 3 === 1) };
}
