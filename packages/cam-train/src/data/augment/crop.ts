import { z } from "zod";
import { defineAugmentation, moved, type Pixels } from "./contract.ts";

/**
 * Adds `padding` pixels on every side and cuts the picture's own size out of that, anywhere: a shift. Outside is black ("zero")
 * or mirrored without the edge itself ("reflect"). As torchvision's RandomCrop(size, padding). The mask goes with the picture.
 */
export const crop = defineAugmentation(
  z.strictObject({
    kind: z.literal("crop"),
    padding: z.int().positive(),
    outside: z.enum(["zero", "reflect"]).default("zero"),
  }),
  (pixels, { padding, outside }, rng) =>
    shifted(pixels, rng.integer(-padding, padding), rng.integer(-padding, padding), outside === "reflect"),
);

/** The picture whose pixel (x, y) is (x + right, y + below) of this one. */
export function shifted(pixels: Pixels, right: number, below: number, reflect: boolean): Pixels {
  const { width, height } = pixels;
  const columns = sources(width, right, reflect);
  const rows = sources(height, below, reflect);
  return moved(pixels, (from, channels) => {
    const out = new Uint8Array(from.length);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++, to += channels) {
        if (rows[y]! < 0 || columns[x]! < 0) continue;
        const at = (rows[y]! * width + columns[x]!) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = from[at + c]!;
      }
    return out;
  });
}

/** For each position the one it comes from; -1 for none. A picture smaller than the padding is mirrored again and again. */
function sources(length: number, shift: number, reflect: boolean): Int32Array {
  const period = Math.max(1, 2 * (length - 1));
  return Int32Array.from({ length }, (_, i) => {
    const at = i + shift;
    if (!reflect) return at >= 0 && at < length ? at : -1;
    const folded = ((at % period) + period) % period;
    return folded < length ? folded : period - folded;
  });
}
