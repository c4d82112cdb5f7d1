import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, normalize, relative, resolve } from "node:path";
import { FileError, ManifestError, NotOnnxError } from "../errors.ts";
import { type ForeignFormat, foreignFormats } from "../model/foreign/index.ts";
import type { Manifest } from "../model/manifest.ts";
import { type Model, openModel } from "../model/model.ts";
import type { ByteSource } from "../model/source.ts";
import { fileSource, sha256OfFile } from "./file-source.ts";
import { findManifest, manifestPath } from "./find-manifest.ts";

/** A model file as loaded: the model, where it lies, and its hash, computed when first asked for. */
export type ModelFile = Model & { readonly path: string; sha256(): string };

export type LoadOptions = {
  /** Another file than what lies beside the model, ours or a foreign one; or a manifest that was made of something else. */
  readonly manifest?: string | Manifest | undefined;
  /** Other projects' descriptions that are read where there is no `model.camkit.json`. Default: what exporters of picture models leave. */
  readonly foreign?: readonly ForeignFormat[] | undefined;
};

/**
 * Loads `model.onnx`, and its manifest: the one that is given, else `model.camkit.json` beside it, else what an exporter left beside
 * or inside it; `manifestFrom` says which. Of the model only the structure is read: weights stay in the file (and in external data
 * files beside it), where the runtime maps them from; don't change it while it is in use.
 * Throws FileError, NotOnnxError, UnsupportedModelError, ManifestError.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<ModelFile> {
  const { manifest, foreign = foreignFormats } = options;
  const source = fileSource(path);
  const described =
    typeof manifest === "object" ? { manifest } : { describe: await findManifest(path, manifest, foreign) };
  const externalData = (location: string) => externalFile(path, location);
  const model = source.whileOpen(() => openModel(source, { name: path, ...described, externalData }));
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

export { manifestPath } from "./find-manifest.ts";

/**
 * Whether a file, links followed, lies in the model's folder: in the one that it was opened in, or in the one that the model's own
 * link leads to. Hugging Face's cache keeps both files that way.
 */
function liesBeside(file: string, model: string): boolean {
  const real = realpathSync(file);
  return [realpathSync(dirname(model)), dirname(realpathSync(model))].some(
    (folder) => !isAbsolute(relative(folder, real)) && !relative(folder, real).startsWith(".."),
  );
}

/** External data lies beside the model; a location that points elsewhere is refused. The runtime looks in the same folder. */
function externalFile(path: string, location: string): ByteSource {
  if (isAbsolute(location) || normalize(location).startsWith(".."))
    throw new NotOnnxError(path, `its external data "${location}" lies outside the model's folder`);
  const file = join(dirname(path), location);
  try {
    const source = { ...fileSource(file), file: { folder: dirname(resolve(path)), name: location } };
    if (!liesBeside(file, path))
      throw new NotOnnxError(path, `its external data "${location}" is a link out of the model's folder`);
    return source;
  } catch (cause) {
    if (cause instanceof NotOnnxError) throw cause;
    throw new FileError(file, "the model's external data can't be read", {
      hint: "Keep the external data file beside the model, under the name that the model uses.",
      cause,
    });
  }
}
