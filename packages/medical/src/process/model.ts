import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkHash, fileError, loadModel, ManifestError, type ModelFile, manifestPath } from "@camkit/cam-core";
import {
  type ForeignManifest,
  type MedicalManifest,
  manifestFromMonai,
  manifestFromNnunet,
  medicalManifest,
  medicalSchema,
} from "../networks/index.ts";
import type { ScanModel } from "./request.ts";

/**
 * Opens a network for scans. How they get in says, the first that is there: `manifest`, `model.camkit.json` beside the model, a
 * MONAI bundle's configs/metadata.json, nnU-Net's plans.json and dataset.json. What nothing says is assumed, and noted.
 * Throws what `loadModel` throws, ManifestError.
 */
export async function openScanModel(
  path: string,
  { manifest: given }: { manifest?: string | undefined } = {},
): Promise<ScanModel> {
  const foreign = given === undefined ? await besides(path) : await foreignManifest(given);
  const model = await loadModel(path, { manifest: foreign?.manifest ?? given });
  checkHash(model, given);
  const stated = medicalManifest(model.manifest, given ?? manifestPath(path));
  const notes = [...(foreign?.notes ?? [])];
  return { model, medical: stated?.preprocess ? stated : assumed(model, stated, notes), notes };
}

/** Another project's description beside a model that has no manifest of ours. */
async function besides(model: string): Promise<ForeignManifest | undefined> {
  if ((await jsonIn(manifestPath(model))) !== undefined) return undefined;
  const folder = dirname(model);
  for (const metadata of [join(folder, "metadata.json"), join(folder, "../configs/metadata.json")]) {
    const found = await foreignManifest(metadata, { ifThere: true });
    if (found) return found;
  }
  const [plans, dataset] = [await jsonIn(join(folder, "plans.json")), await jsonIn(join(folder, "dataset.json"))];
  return plans === undefined || dataset === undefined ? undefined : manifestFromNnunet(plans, dataset);
}

/** A file as a foreign manifest; undefined where it is one of ours. */
async function foreignManifest(path: string, { ifThere = false } = {}): Promise<ForeignManifest | undefined> {
  const json = await jsonIn(path, ifThere);
  if (!isObject(json)) return undefined;
  if ("network_data_format" in json)
    return manifestFromMonai(json, await jsonIn(join(dirname(path), "inference.json")), path);
  if ("configurations" in json) {
    const dataset = join(dirname(path), "dataset.json");
    return manifestFromNnunet(json, await jsonIn(dataset, false));
  }
  return undefined;
}

/** Undefined for a file that isn't there, where that is no error. */
async function jsonIn(path: string, ifThere = true): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (ifThere && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError(path, cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ManifestError(path, `not JSON: ${(cause as Error).message}`, { cause });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** A chest CT's usual way into a network of a fixed size. Throws ManifestError where that is open. */
function assumed(model: ModelFile, stated: MedicalManifest | undefined, notes: string[]): MedicalManifest {
  const input = model.graph.inputs.find(({ shape }) => shape?.length === 5);
  const size = input?.shape?.slice(2).map((dim) => (typeof dim === "number" ? dim : undefined));
  if (input === undefined) return medicalSchema.parse(stated ?? {}); // no volumes: a radiograph's network, or refused later
  if (size?.some((dim) => dim === undefined))
    throw new ManifestError(manifestPath(model.path), "nothing says how a scan becomes the model's input", {
      hint: `The input "${input.name}" leaves its size open: state extensions.medical.preprocess, or give a MONAI bundle's metadata.json as --manifest.`,
    });
  const task = isDense(model.graph.outputs[0]?.shape) ? "segmentation" : "classification";
  const made = medicalSchema.parse({ task, ...stated, preprocess: { kind: "lung-ct", size } });
  notes.push(
    `no manifest says how scans become this model's input: window −1200 to 600 HU to 0..1, the lungs' box, ${size!.join(" x ")} were assumed`,
  );
  return made;
}

/** One score per cell. */
function isDense(shape: readonly unknown[] | undefined): boolean {
  return shape?.length === 5;
}
