import { type ForeignFormat, type Manifest, ManifestError } from "@camkit/cam-core";
import { z } from "zod";
import { medicalSchema } from "./manifest.ts";
import type { ForeignManifest } from "./monai.ts";

const triple = z.tuple([z.number(), z.number(), z.number()]);
const plansSchema = z.looseObject({
  plans_name: z.string().optional(),
  dataset_name: z.string(),
  transpose_forward: z.tuple([z.int(), z.int(), z.int()]),
  foreground_intensity_properties_per_channel: z.record(
    z.string(),
    z.looseObject({ mean: z.number(), std: z.number(), percentile_00_5: z.number(), percentile_99_5: z.number() }),
  ),
  configurations: z.record(z.string(), z.looseObject({})),
});
const configurationSchema = z.looseObject({
  patch_size: triple,
  spacing: triple,
  normalization_schemes: z.array(z.string()),
});
const datasetSchema = z.looseObject({ labels: z.record(z.string(), z.union([z.int(), z.array(z.int())])) });

/** nnU-Net's two files, beside the model. */
export const nnunet: ForeignFormat = {
  name: "nnU-Net",
  files: ["plans.json", "dataset.json"],
  binding: true,
  read({ json, called }) {
    const plans = json("plans.json");
    if (typeof plans !== "object" || plans === null || !("configurations" in plans)) return undefined;
    const dataset = json("dataset.json");
    if (dataset === undefined)
      throw new ManifestError(called("plans.json"), "dataset.json, which names the labels, isn't beside it");
    return { ...manifestFromNnunet(plans, dataset), files: [called("plans.json"), called("dataset.json")] };
  },
};

/**
 * nnU-Net's `plans.json` and `dataset.json` as a manifest of one of its 3-D configurations.
 * nnU-Net takes arrays as SimpleITK reads them, slices, rows, columns, then exchanges axes; it doesn't turn them round.
 * Throws ManifestError for what isn't such a file, for other intensities than a CT's, for several channels and for regions.
 * Source: nnU-Net v2, `PlansManager`, `CTNormalization`, `compute_gaussian`.
 */
export function manifestFromNnunet(plans: unknown, dataset: unknown, configuration = "3d_fullres"): ForeignManifest {
  const all = read(plansSchema, plans, "plans.json");
  const { labels } = read(datasetSchema, dataset, "dataset.json");
  const found = all.configurations[configuration];
  if (found === undefined)
    throw new ManifestError("plans.json", `no configuration "${configuration}"`, {
      hint: `Found: ${Object.keys(all.configurations).join(", ")}.`,
    });
  const { patch_size, spacing, normalization_schemes } = read(
    configurationSchema,
    found,
    `plans.json: ${configuration}`,
  );
  const ct = all.foreground_intensity_properties_per_channel["0"];
  if (normalization_schemes.join() !== "CTNormalization" || ct === undefined)
    throw new ManifestError(
      "plans.json",
      `normalisation ${normalization_schemes.join(", ")}, expected one CTNormalization`,
    );
  const classes: string[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (typeof value !== "number")
      throw new ManifestError(
        "dataset.json",
        `label "${name}" is a region of ${value.length} labels, expected one number`,
      );
    if (name !== "ignore") classes[value] = name;
  }
  const medical = medicalSchema.parse({
    task: "segmentation",
    preprocess: {
      kind: "volume",
      orientation: all.transpose_forward.map((axis) => "SPL"[axis]).join(""),
      spacingMm: spacing,
      intensity: {
        kind: "ct-normalisation",
        clipHu: [ct.percentile_00_5, ct.percentile_99_5],
        meanHu: ct.mean,
        stdHu: ct.std,
      },
    },
    slidingWindow: { size: patch_size, overlap: 0.5, weights: "gaussian" },
  } satisfies z.input<typeof medicalSchema>);
  const manifest: Manifest = {
    formatVersion: 1,
    name: `${all.dataset_name} ${configuration}`,
    classes,
    extensions: { medical },
  };
  return {
    manifest,
    notes: [
      "orientation was assumed: slices to the head, rows to the back, columns to the left, as most CTs are stored; nnU-Net takes them as they are",
      "resampled linearly; nnU-Net does so by cubic splines",
      "window weights and steps are MONAI's; nnU-Net spreads its windows evenly, with the same Gaussian",
    ],
  };
}

function read<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new ManifestError(path, `not nnU-Net's: ${problems.join("; ")}`);
}
