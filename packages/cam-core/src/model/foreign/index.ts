import { ManifestError } from "../../errors.ts";
import { parseManifest } from "../manifest.ts";
import type { ForeignFormat, ForeignManifest, Found } from "./format.ts";
import { huggingFace } from "./hugging-face.ts";
import { onnxImage } from "./onnx-image.ts";
import { timm } from "./timm.ts";
import { ultralytics } from "./ultralytics.ts";

export type { ForeignFormat, ForeignManifest, Found } from "./format.ts";

/** What exporters leave, the surest first: what lies in the file itself describes no other. */
export const foreignFormats: readonly ForeignFormat[] = [ultralytics, timm, huggingFace, onnxImage];

/**
 * The first description that one of the formats reads, as a legal manifest. One that can't be followed is left out with a note,
 * unless the format is binding. Throws ManifestError.
 */
export function foreignManifest(
  formats: readonly ForeignFormat[],
  found: Found,
): ForeignManifest | { manifest: undefined; files: []; notes: readonly string[] } {
  const notes: string[] = [];
  for (const format of formats) {
    try {
      const read = format.read(found);
      if (!read) continue;
      const manifest = parseManifest(read.manifest, read.files.join(", "));
      return { ...read, manifest, notes: [...notes, ...read.notes] };
    } catch (error) {
      if (format.binding || !(error instanceof ManifestError)) throw error;
      notes.push(`${error.message}; it is left out`);
    }
  }
  return { manifest: undefined, files: [], notes };
}
