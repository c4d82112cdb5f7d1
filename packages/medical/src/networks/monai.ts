import { type ForeignManifest as Foreign, type ForeignFormat, type Manifest, ManifestError } from "@camkit/cam-core";
import { z } from "zod";
import type { VolumeOptions } from "../preprocess/volume-options.ts";
import { medicalSchema } from "./manifest.ts";

/** Another project's description of a network, as a manifest; what it doesn't say is assumed, and said. */
export type ForeignManifest = Pick<Foreign, "manifest" | "notes">;

/** A bundle's descriptions: beside the model, or in `configs` beside its folder `models`. */
export const monai: ForeignFormat = {
  name: "MONAI",
  files: ["", "../configs/"].flatMap((folder) => [`${folder}metadata.json`, `${folder}inference.json`]),
  binding: true,
  read({ json, called }) {
    for (const folder of ["", "../configs/"]) {
      const [metadata, inference] = [`${folder}metadata.json`, `${folder}inference.json`];
      const found = json(metadata);
      if (typeof found !== "object" || found === null || !("network_data_format" in found)) continue;
      const made = manifestFromMonai(found, json(inference), called(metadata));
      return { ...made, files: [metadata, inference].filter((file) => json(file) !== undefined).map(called) };
    }
    return undefined;
  },
};

const channels = z.record(z.string(), z.string());
const data = z.looseObject({
  type: z.string().optional(),
  format: z.string().optional(),
  num_channels: z.int().positive().optional(),
  spatial_shape: z.array(z.union([z.number(), z.string()])).optional(),
  dtype: z.string().optional(),
  value_range: z.array(z.number()).optional(),
  is_patch_data: z.boolean().optional(),
  channel_def: channels.optional(),
});
const metadataSchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  task: z.string().optional(),
  description: z.string().optional(),
  intended_use: z.string().optional(),
  network_data_format: z.looseObject({
    inputs: z.record(z.string(), data),
    outputs: z.record(z.string(), data),
  }),
});

type Transform = Readonly<Record<string, unknown>>;

/**
 * A MONAI bundle's `configs/metadata.json` as a manifest, and better with its `configs/inference.json` (JSON, not YAML), which
 * alone knows window, spacing and orientation. Without it a bundle's usual ones are assumed, each in a note.
 * Throws ManifestError for what isn't a metadata file, or takes or gives what isn't handled here.
 * Source: MONAI bundle specification 0.1.0; transforms' names and arguments as in MONAI 1.6.
 */
export function manifestFromMonai(metadata: unknown, inference?: unknown, path = "metadata.json"): ForeignManifest {
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success)
    throw new ManifestError(
      path,
      `no MONAI bundle metadata: ${parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")}`,
    );
  const { network_data_format: format, ...about } = parsed.data;
  const notes: string[] = [];
  const [inputName, input] = only(format.inputs, "inputs", path);
  const [outputName, output] = only(format.outputs, "outputs", path);
  if ((input.num_channels ?? 1) !== 1)
    throw new ManifestError(path, `inputs.${inputName} has ${input.num_channels} channels, expected 1: a CT`);
  if (input.dtype !== undefined && input.dtype !== "float32")
    notes.push(`metadata states dtype ${input.dtype} for its input; the graph decides`);
  const size = sizeOf(input.spatial_shape);
  if (input.spatial_shape !== undefined && size === undefined)
    notes.push(`spatial_shape [${input.spatial_shape.join(", ")}] leaves the size open: the graph decides`);
  const transforms = transformsIn(inference);
  const isSegmentation = output.type === "image" || output.format === "segmentation";
  const medical = medicalSchema.parse({
    task: isSegmentation ? "segmentation" : "classification",
    preprocess: preprocessOf(transforms, input.value_range, input.is_patch_data ? undefined : size, notes),
    ...windowOf(transforms, input.is_patch_data ? size : undefined, notes),
  } satisfies z.input<typeof medicalSchema>);
  const classes = classesOf(output.channel_def, output.num_channels);
  if (classes === undefined) notes.push("metadata names no classes");
  const manifest: Manifest = {
    formatVersion: 1,
    name: about.name ?? "MONAI bundle",
    ...(about.version === undefined ? {} : { version: about.version }),
    ...(classes === undefined ? {} : { classes }),
    ...(about.description === undefined ? {} : { source: { description: about.description } }),
    ...(about.intended_use === undefined ? {} : { intendedUse: about.intended_use }),
    extensions: { medical },
  };
  if (output.value_range?.join() === "0,1")
    notes.push(`outputs.${outputName} is in [0, 1]: taken for what follows the graph's last activation`);
  return { manifest, notes };
}

function only<T>(entries: Readonly<Record<string, T>>, what: string, path: string): [string, T] {
  const found = Object.entries(entries);
  if (found.length === 1) return found[0]!;
  throw new ManifestError(
    path,
    `network_data_format has ${found.length} ${what} (${Object.keys(entries).join(", ")}), expected one`,
  );
}

/** Whole numbers alone make a size; "*" and "16*n" leave it open. */
function sizeOf(shape: readonly (number | string)[] | undefined): [number, number, number] | undefined {
  if (shape?.length !== 3 || !shape.every((n) => typeof n === "number" && Number.isInteger(n) && n > 0))
    return undefined;
  return shape as [number, number, number];
}

function classesOf(defined: Record<string, string> | undefined, count: number | undefined): string[] | undefined {
  if (!defined) return undefined;
  const indices = Object.keys(defined).map(Number);
  const n = Math.max(count ?? 0, ...indices.map((i) => i + 1));
  return Array.from({ length: n }, (_, i) => defined[String(i)] ?? `class ${i}`);
}

/** Every object with a `_target_`, by the last part of its name, dictionary transforms ("Spacingd") without their d. */
function transformsIn(config: unknown): ReadonlyMap<string, Transform> {
  const found = new Map<string, Transform>();
  const visit = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    const target = (at as Transform)._target_;
    if (typeof target === "string" && (at as Transform)._disabled_ !== true) {
      const name = target.split(".").at(-1)!.replace(/d$/, "");
      if (!found.has(name)) found.set(name, at as Transform);
    }
    Object.values(at).forEach(visit);
  };
  visit(config);
  return found;
}

function preprocessOf(
  transforms: ReadonlyMap<string, Transform>,
  valueRange: readonly number[] | undefined,
  size: [number, number, number] | undefined,
  notes: string[],
): VolumeOptions {
  const axcodes = transforms.get("Orientation")?.axcodes;
  const orientation = typeof axcodes === "string" ? axcodes : "RAS";
  if (orientation !== axcodes) notes.push("orientation was assumed: RAS, as bundles usually have it");
  const pixdim = numbers(transforms.get("Spacing")?.pixdim, 3) as [number, number, number] | undefined;
  if (pixdim === undefined && size === undefined) notes.push("spacing was assumed: the scan's own");
  return {
    kind: "volume",
    orientation,
    intensity: intensityOf(transforms, valueRange, notes),
    ...(pixdim ? { spacingMm: pixdim } : size ? { size } : {}),
  };
}

function intensityOf(
  transforms: ReadonlyMap<string, Transform>,
  valueRange: readonly number[] | undefined,
  notes: string[],
): NonNullable<VolumeOptions["intensity"]> {
  const scale = transforms.get("ScaleIntensityRange");
  const window = numbers([scale?.a_min, scale?.a_max], 2) as [number, number] | undefined;
  const range = (numbers([scale?.b_min, scale?.b_max], 2) ?? numbers(valueRange, 2) ?? [0, 1]) as [number, number];
  if (window) {
    if (scale?.clip !== true) notes.push("ScaleIntensityRange doesn't clip; here values beyond the window are clipped");
    return { kind: "window", windowHu: window, range };
  }
  notes.push(`intensities were assumed: -1000 to 1000 HU become ${range.join(" to ")}`);
  return { kind: "window", windowHu: [-1000, 1000], range };
}

function windowOf(
  transforms: ReadonlyMap<string, Transform>,
  patch: [number, number, number] | undefined,
  notes: string[],
): Pick<z.input<typeof medicalSchema>, "slidingWindow"> {
  const inferer = transforms.get("SlidingWindowInferer");
  const size = (numbers(inferer?.roi_size, 3) ?? patch) as [number, number, number] | undefined;
  if (size === undefined) return {};
  if (!inferer) notes.push("windows were assumed: a quarter shared, all cells alike, MONAI's own defaults");
  const overlap = typeof inferer?.overlap === "number" ? inferer.overlap : 0.25;
  return { slidingWindow: { size, overlap, weights: inferer?.mode === "gaussian" ? "gaussian" : "constant" } };
}

/** A list of numbers, or undefined: a reference ("@patch_size") or an expression is none. */
function numbers(value: unknown, length: number): number[] | undefined {
  const given =
    Array.isArray(value) && value.length === length && value.every((n) => typeof n === "number" && n !== -1);
  return given ? (value as number[]) : undefined;
}
