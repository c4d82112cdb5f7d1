import { float32, int64 } from "@camkit/cam-core/data";
import type { Generator } from "@camkit/cam-train";
import { z } from "zod";
import { type LungCtOptions, prepareLungCt } from "../preprocess/index.ts";
import { maskAtCells } from "./cells.ts";
import { classOf, drawThorax } from "./draw.ts";
import { thoraxGeometry, thoraxThickness } from "./grid.ts";
import { type Kept, keptSamples } from "./kept.ts";
import { phantomClasses } from "./lesions.ts";
import { partsOf } from "./parts.ts";

const schema = z.strictObject({
  first: z.int().meta({ description: "the seed of the first phantom" }),
  count: z.int().positive().meta({ description: "phantoms, of seeds one after the other" }),
  size: z
    .tuple([z.int().positive(), z.int().positive(), z.int().positive()])
    .default([32, 128, 128])
    .meta({ description: "a network's input: slices, rows, columns" }),
  parts: z
    .strictObject({
      size: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
      each: z.int().positive(),
    })
    .exactOptional()
    .meta({ description: "so many parts of this size of each phantom, instead of the whole" }),
  keep: z
    .string()
    .min(1)
    .exactOptional()
    .meta({ description: "a folder to keep prepared phantoms in; without it each is drawn anew" }),
});
export type PhantomsOptions = z.input<typeof schema>;

/**
 * Synthetic chest CTs as a network sees them: drawn, prepared by `prepareLungCt` as a real scan is, with the truth in the same
 * cells. Sample i is the phantom of seed `first + i`.
 *
 *   input   float32 [1, D, H, W] in [0, 1]
 *   label   int64 [], the class: see `phantomClasses`
 *   mask    uint8 [D, H, W], 1 in a lesion; all 0 for a normal one
 *
 * Throws ZodError for options that don't fit.
 */
export default function phantoms(options: PhantomsOptions): Generator {
  const { first, count, size, parts, keep } = schema.parse(options);
  const made = keep === undefined ? make : keptSamples(keep, first, size, make);
  const volumes: Generator = {
    count,
    classes: phantomClasses,
    fields: {
      input: { dtype: "float32", shape: [1, ...size] },
      label: { dtype: "int64", shape: [] },
      mask: { dtype: "uint8", shape: size },
    },
    labelOf: (index) => labelNumber(first + index),
    load: (index) => {
      const { input, lesion } = made(first + index, size);
      return {
        input: float32(
          [1, ...size],
          Float32Array.from(input, (level) => level / 65535),
        ),
        label: int64([], [labelNumber(first + index)]),
        mask: { dtype: "uint8", shape: size, data: lesion },
      };
    },
  };
  return parts === undefined ? volumes : partsOf(volumes, parts.size, parts.each);
}

const labelNumber = (seed: number): number => phantomClasses.indexOf(classOf(seed));

/**
 * Draws a phantom and prepares it. A network sees every few slices of a series, and not each of its pixels: only 1.6 times as
 * many slices as it sees are drawn, each as thick as the series' own, and twice its columns.
 */
function make(seed: number, size: NonNullable<PhantomsOptions["size"]>): Kept {
  const drawn = drawThorax(seed, {
    geometry: thoraxGeometry(seed, { size: 2 * size[2], slices: Math.max(24, Math.ceil(1.6 * size[0])) }),
    thicknessMm: thoraxThickness(seed),
  });
  // Black away from the lungs, as the paper's own slices are: nothing is to be learned from chest walls.
  const options: LungCtOptions = { size, outside: "black" };
  const { tensor, placement } = prepareLungCt(drawn.volume, options);
  return {
    // Kept as 16 bits: a step of 1/65535 is 0.03 HU.
    input: Uint16Array.from(tensor.data as Float32Array, (level) => Math.round(65535 * level)),
    lesion: maskAtCells(drawn.lesionMask, drawn.volume.geometry.shape, placement),
  };
}
