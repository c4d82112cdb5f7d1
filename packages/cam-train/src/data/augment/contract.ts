import type { Rng } from "@camkit/cam-core";
import type { z } from "zod";

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
