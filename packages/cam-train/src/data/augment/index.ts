import type { Rng } from "@camkit/cam-core/data";
import { z } from "zod";
import { ConfigError } from "../../errors.ts";
import type { Fields } from "../dataset.ts";
import { parsed } from "../parse.ts";
import type { Sample } from "../source.ts";
import { blur } from "./blur.ts";
import { colour } from "./colour.ts";
import type { Augmentation, Pixels } from "./contract.ts";
import { crop } from "./crop.ts";
import { erase } from "./erase.ts";
import { flip } from "./flip.ts";
import { grey } from "./grey.ts";
import { jpeg } from "./jpeg.ts";
import { checkMirror, type Mirror, mirrored, mirrorSchema } from "./mirror.ts";
import { noise } from "./noise.ts";
import { resizedCrop } from "./resized-crop.ts";
import { rotate } from "./rotate.ts";

/** Every augmentation of pictures by its `kind`; `mirror` is that of finished tensors. */
export const augmentations = {
  blur,
  colour,
  crop,
  erase,
  flip,
  grey,
  jpeg,
  noise,
  "resized-crop": resizedCrop,
  rotate,
};

/** One augmentation as a configuration writes it: `{ kind: "flip", horizontal: 0.5 }`. */
export const augmentSchema = z.discriminatedUnion("kind", [
  blur.schema,
  colour.schema,
  crop.schema,
  erase.schema,
  flip.schema,
  grey.schema,
  jpeg.schema,
  mirrorSchema,
  noise.schema,
  resizedCrop.schema,
  rotate.schema,
]);
export type AugmentSpec = z.input<typeof augmentSchema>;
/** The same with its defaults. */
export type Augment = z.output<typeof augmentSchema>;

/**
 * Throws ConfigError for options that don't fit, and where the input isn't a picture or the mask none of that picture: finished
 * tensors can only be mirrored.
 */
export function parseAugment(specs: readonly AugmentSpec[], fields: Fields): readonly Augment[] {
  const { input, mask } = fields;
  const steps = specs.map((spec, i) => parsed(augmentSchema, spec, `augment.${i}`) as Augment);
  if (steps.some(isMirror)) {
    const other = steps.find((step) => !isMirror(step));
    if (other)
      throw new ConfigError(`mirror is for finished tensors, ${other.kind} for pictures`, {
        hint: "Pictures have flip.",
      });
    for (const step of steps.filter(isMirror)) checkMirror(step, fields);
    return steps;
  }
  const channels = input?.shape[2];
  if (specs.length > 0 && (input?.dtype !== "uint8" || input.shape.length !== 3 || (channels !== 1 && channels !== 3)))
    throw new ConfigError(
      `augmentation needs pictures, uint8 [H, W, 1 or 3]; the input is ${input?.dtype} [${input?.shape.join(", ")}]`,
      { hint: "Finished tensors can be mirrored: `kind: mirror`. Vary them otherwise where they are made." },
    );
  if (specs.length > 0 && mask && (mask.dtype !== "uint8" || String(mask.shape) !== String(input?.shape.slice(0, 2))))
    throw new ConfigError(
      `augmentation needs masks as uint8 [H, W]; the mask is ${mask.dtype} [${mask.shape.join(", ")}]`,
    );
  return steps;
}

const isMirror = (step: Augment): step is Mirror => step.kind === "mirror";

/** The sample with its picture, and its mask where that moves too, changed by each step in turn. */
export function augment(sample: Sample, steps: readonly Augment[], rng: Rng): Sample | Promise<Sample> {
  if (steps.some(isMirror))
    return steps.filter(isMirror).reduce((changed, step) => mirrored(changed, step, rng), sample);
  const { input, mask } = sample;
  const [height, width, channels] = input!.shape as [number, number, number];
  const before: Pixels = {
    width,
    height,
    channels,
    data: input!.data as Uint8Array,
    ...(mask && { mask: mask.data as Uint8Array }),
  };
  const after = (pixels: Pixels): Sample => ({
    ...sample,
    input: { ...input!, data: pixels.data },
    ...(mask && { mask: { ...mask, data: pixels.mask! } }),
  });
  const apply = (pixels: Pixels, step: Augment) =>
    (augmentations[step.kind as keyof typeof augmentations] as Augmentation<Augment>).apply(pixels, step, rng);

  let pixels = before;
  for (const [i, step] of steps.entries()) {
    const next = apply(pixels, step);
    if (next instanceof Promise)
      return steps
        .slice(i + 1)
        .reduce(async (previous, later) => apply(await previous, later), next)
        .then(after);
    pixels = next;
  }
  return after(pixels);
}
