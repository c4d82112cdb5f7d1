import { z } from "zod";
import { defineAugmentation, type Pixels, probability } from "./contract.ts";

/** Takes the colour out. As torchvision's RandomGrayscale; grey pictures stay as they are. */
export const grey = defineAugmentation(
  z.strictObject({ kind: z.literal("grey"), probability: probability.default(0.1) }),
  (pixels, options, rng) => {
    if (rng.unit() >= options.probability || pixels.channels === 1) return pixels;
    const luma = lumaOf(pixels);
    const data = new Uint8Array(pixels.data.length);
    for (let i = 0, to = 0; i < luma.length; i++) for (let c = 0; c < 3; c++) data[to++] = luma[i]!;
    return { ...pixels, data };
  },
);

const [red, green, blue] = [0.2989, 0.587, 0.114].map(Math.fround) as [number, number, number];

/** torchvision's rgb_to_grayscale: 0.2989 R + 0.587 G + 0.114 B in float32, the fraction cut off. */
export function lumaOf({ data, channels }: Pixels): Uint8Array {
  if (channels === 1) return data;
  const { fround } = Math;
  const out = new Uint8Array(data.length / 3);
  for (let i = 0, from = 0; i < out.length; i++, from += 3) {
    const two = fround(fround(red * data[from]!) + fround(green * data[from + 1]!));
    out[i] = fround(two + fround(blue * data[from + 2]!));
  }
  return out;
}
