import type { Rng } from "@camkit/cam-core/data";
import { z } from "zod";

/** A prepared picture, RGB or grey, and its mask. */
export type Pixels = {
  readonly width: number;
  readonly height: number;
  readonly channels: number; // 1 or 3
  readonly data: Uint8Array; // [height, width, channels]
  readonly mask?: Uint8Array; // [height, width], 0 or 1
};

/**
 * One way to change a picture. `apply` gives a picture of the same size; what it was given lies in the cache and is left as it
 * is. All chance comes from `rng`, so that equal keys give equal pictures.
 */
export type Augmentation<Options> = {
  apply(pixels: Pixels, options: Options, rng: Rng): Pixels | Promise<Pixels>;
};

/** Lets the compiler check the function against the schema of its options. */
export function defineAugmentation<Schema extends z.ZodObject>(
  schema: Schema,
  apply: Augmentation<z.output<Schema>>["apply"],
): Augmentation<z.output<Schema>> & { readonly schema: Schema } {
  return { schema, apply };
}

/** The share of pictures that are changed. */
export const probability = z.number().min(0).max(1);

/** From which a number is drawn, each as likely: [low, high], and never outside `least` to `most`. */
export function range(least: number, most: number) {
  const bound = z.number().min(least).max(most);
  return z
    .tuple([bound, bound])
    .refine(([low, high]) => low <= high, "expected [low, high]")
    .readonly();
}

/** The picture and, where it has one, the mask, each with what `move` makes of it. */
export function moved(
  pixels: Pixels,
  move: (data: Uint8Array, channels: number, isMask: boolean) => Uint8Array,
): Pixels {
  const { data, mask, channels } = pixels;
  return { ...pixels, data: move(data, channels, false), ...(mask && { mask: move(mask, 1, true) }) };
}
