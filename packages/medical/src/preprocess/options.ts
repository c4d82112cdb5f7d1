import { z } from "zod";

const cells = z.int().positive();

/**
 * How a chest CT becomes a network's input: a model states it in its manifest, under `extensions.medical.preprocess`.
 * Unknown keys are refused, as everywhere in a manifest.
 */
export const lungCtSchema = z.strictObject({
  kind: z.literal("lung-ct").default("lung-ct"),
  /** The network's input: [slices, rows, columns]. With `slices: { spacingMm }` the depth is that of one window. */
  size: z.tuple([cells, cells, cells]),
  /** HU that become 0 and 1; what lies beyond is clipped. */
  windowHu: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, "expected [low, high] with low < high")
    .default([-1200, 600]),
  /**
   * Which slices are kept. "even": round(linspace) over the extent, ends included. "paper": as CovidNet3D's own code, which
   * sees only the middle of a scan of fewer than twice the depth. { spacingMm }: as many as the extent holds at this distance.
   */
  slices: z.union([z.enum(["even", "paper"]), z.strictObject({ spacingMm: z.number().positive() })]).default("even"),
  /**
   * The part that is resized to `size`. "lungs": the box around the lungs, in all three axes. "none": everything. "paper": the
   * middle 4/5 of rows and columns, of all slices.
   */
  crop: z.enum(["lungs", "none", "paper"]).default("lungs"),
  /** Around the lungs' box, on every side. */
  marginMm: z.number().min(0).default(10),
  /** "black": what lies more than `outsideMm` from the lungs becomes 0, before the resize. */
  outside: z.enum(["keep", "black"]).default("keep"),
});

/** As a caller writes it: only `size` is required. */
export type LungCtOptions = z.input<typeof lungCtSchema>;
export type LungCtSettings = z.output<typeof lungCtSchema>;

/** What `outside: "black"` leaves around the lungs: the ten dilations by a pixel of the paper's scripts, at 0.8 mm each. */
export const outsideMm = 8;
