import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import { FileError, ManifestError, NotOnnxError } from "../errors.ts";
import { type Manifest, parseManifest } from "../model/manifest.ts";
import { type Model, openModel } from "../model/model.ts";
import type { ByteSource } from "../model/source.ts";
import { fileSource, sha256OfFile } from "./file-source.ts";
import { readBytes } from "./files.ts";

/** A model file as loaded: the model, where it lies, and its hash, computed when first asked for. */
export type ModelFile = Model & { readonly path: string; sha256(): string };

/** `manifest`: another file than the one beside the model, or a manifest that was made of something else. */
export type LoadOptions = { readonly manifest?: string | Manifest | undefined };

/**
 * Loads `model.onnx` and `model.camkit.json` beside it, if there. Of the model only the structure is read: weights stay in
 * the file (and in external data files beside it), where the runtime maps them from; don't change it while it is in use.
 * Throws FileError, NotOnnxError, UnsupportedModelError, ManifestError.
 */
export async function loadModel(path: string, { manifest: given }: LoadOptions = {}): Promise<ModelFile> {
  const source = fileSource(path);
  const manifest =
    typeof given === "object" ? given : await loadManifest(given ?? manifestPath(path), given !== undefined);
  const externalData = (location: string) => externalFile(path, location);
  const model = source.whileOpen(() => openModel(source, { name: path, manifest, externalData }));
  let hash: string | undefined;
  const sha256 = () => {
    hash ??= sha256OfFile(source);
    return hash;
  };
  return { ...model, path, sha256 };
}

/**
 * Refuses a manifest that states the hash of another file. The whole file is read for it, so it is asked for apart. Throws
 * ManifestError. `manifest`: the file's name, where it isn't the one beside the model.
 */
export function checkHash(model: ModelFile, manifest = manifestPath(model.path)): void {
  const stated = model.manifest?.sha256;
  if (stated !== undefined && stated !== model.sha256())
    throw new ManifestError(manifest, `it describes another file than ${model.path}`, {
      hint: `It states sha256 ${stated}, the file has ${model.sha256()}: the file is damaged, or the manifest needs updating.`,
    });
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

/** External data lies beside the model; a location that points elsewhere is refused. The runtime looks in the same folder. */
function externalFile(path: string, location: string): ByteSource {
  if (isAbsolute(location) || normalize(location).startsWith(".."))
    throw new NotOnnxError(path, `its external data "${location}" lies outside the model's folder`);
  const file = join(dirname(path), location);
  try {
    return { ...fileSource(file), file: { folder: dirname(resolve(path)), name: location } };
  } catch (cause) {
    throw new FileError(file, "the model's external data can't be read", {
      hint: "Keep the external data file beside the model, under the name that the model uses.",
      cause,
    });
  }
}
