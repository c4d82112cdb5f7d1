import { z } from "zod";

const triple = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

/** Patient directions by letter: right and left, anterior and posterior, superior and inferior. */
const orientation = z
  .string()
  .regex(/^[RLAPSI]{3}$/, "expected three letters of R or L, A or P, S or I")
  .refine((letters) => ["RL", "AP", "SI"].every((pair) => [...letters].filter((l) => pair.includes(l)).length === 1), {
    error: "expected one letter of R or L, one of A or P, one of S or I",
  });

/** How any scan becomes the input of a 3-D network that takes it whole or in windows: MONAI's and nnU-Net's kind. */
export const volumeSchema = z
  .strictObject({
    kind: z.literal("volume"),
    /** Where the indices of the network's three spatial axes grow to, in their order: "RAS" as MONAI's, "SPL" as an axial stack. */
    orientation: orientation.default("SPL"),
    /** Millimetres from cell to cell, in the order of the network's axes. Default: the scan's own. */
    spacingMm: triple.exactOptional(),
    /** Cells, in the order of the network's axes: everything is resized to it, whatever the proportions. */
    size: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]).exactOptional(),
    /** "window": HU linearly to `range`, clipped. "ct-normalisation": clipped to percentiles, then (HU − mean) / std. */
    intensity: z
      .discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("window"),
          windowHu: z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, "expected low < high"),
          range: z.tuple([z.number(), z.number()]).default([0, 1]),
        }),
        z.strictObject({
          kind: z.literal("ct-normalisation"),
          clipHu: z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, "expected low < high"),
          meanHu: z.number(),
          stdHu: z.number().positive(),
        }),
      ])
      .default({ kind: "window", windowHu: [-1000, 1000], range: [0, 1] }),
  })
  .refine(({ spacingMm, size }) => spacingMm === undefined || size === undefined, {
    error: "has no meaning beside spacingMm",
    path: ["size"],
  });

export type VolumeOptions = z.input<typeof volumeSchema>;
export type VolumeSettings = z.output<typeof volumeSchema>;
