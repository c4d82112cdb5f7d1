import { checkHash, loadModel, ManifestError, type ModelFile, manifestPath } from "@camkit/cam-core";
import { type MedicalManifest, medicalManifest, medicalSchema, monai, nnunet } from "../networks/index.ts";
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
  const model = await loadModel(path, { manifest: given, foreign: [monai, nnunet] });
  checkHash(model, given);
  const stated = medicalManifest(model.manifest, given ?? manifestPath(path));
  const notes = [...(model.manifestFrom?.notes ?? [])];
  return { model, medical: stated?.preprocess ? stated : assumed(model, stated, notes), notes };
}

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
