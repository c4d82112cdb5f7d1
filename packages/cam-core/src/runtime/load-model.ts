import { readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { FileError, ManifestError, NotOnnxError } from "../errors.ts";
import { type Manifest, parseManifest } from "../model/manifest.ts";
import { type Model, openModel } from "../model/model.ts";
import { readBytes, sha256Hex } from "./files.ts";

/** A model file as loaded: the model, where it lies, and its hash, computed when first asked for. */
export type ModelFile = Model & { readonly path: string; sha256(): string };

/**
 * Loads `model.onnx`, its external data and `model.camkit.json` beside it, if there. Throws FileError, NotOnnxError,
 * UnsupportedModelError, ManifestError.
 */
export async function loadModel(path: string, options: { manifest?: string } = {}): Promise<ModelFile> {
  const bytes = await readBytes(path);
  const manifest = await loadManifest(options.manifest ?? manifestPath(path), options.manifest !== undefined);
  const folder = dirname(path);
  const opened = new Map<string, Uint8Array>();
  const model = openModel(bytes, {
    source: path,
    name: basename(path).replace(/\.onnx$/i, ""),
    manifest,
    externalData: (location) => {
      const data = opened.get(location) ?? readExternal(path, folder, location);
      opened.set(location, data);
      return data;
    },
  });
  let hash: string | undefined;
  const sha256 = () => (hash ??= sha256Hex(bytes));
  return { ...model, path, sha256 };
}

/** `model.camkit.json` for `model.onnx`. */
export function manifestPath(modelPath: string): string {
  return modelPath.replace(/(\.onnx)?$/i, ".camkit.json");
}

async function loadManifest(path: string, required: boolean): Promise<Manifest | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path);
  } catch (error) {
    if (!required && error instanceof FileError && (error.cause as NodeJS.ErrnoException).code === "ENOENT")
      return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ManifestError(path, `not JSON: ${(cause as Error).message}`, { cause });
  }
  return parseManifest(json, path);
}

/** External data lies beside the model; a location that points elsewhere is refused. */
function readExternal(path: string, folder: string, location: string): Uint8Array {
  if (isAbsolute(location) || normalize(location).startsWith(".."))
    throw new NotOnnxError(path, `its external data "${location}" lies outside the model's folder`);
  try {
    return readFileSync(join(folder, location));
  } catch (cause) {
    throw new FileError(
      join(folder, location),
      `the model's external data can't be read (${(cause as NodeJS.ErrnoException).code ?? cause})`,
      {
        hint: "Keep the external data file beside the model, under the name that the model uses.",
        cause,
      },
    );
  }
}
