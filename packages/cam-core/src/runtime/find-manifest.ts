import { basename, dirname, join, resolve } from "node:path";
import { FileError, ManifestError } from "../errors.ts";
import { type ForeignFormat, type Found, foreignManifest } from "../model/foreign/index.ts";
import { parseManifest } from "../model/manifest.ts";
import type { OpenOptions } from "../model/model.ts";
import { readBytes } from "./files.ts";

type Describe = NonNullable<OpenOptions["describe"]>;

/** `model.camkit.json` for `model.onnx`. */
export function manifestPath(modelPath: string): string {
  return modelPath.replace(/(\.onnx)?$/i, ".camkit.json");
}

/**
 * Reads the files that describe a model: the one that is `given`, else `model.camkit.json`, else what the formats ask for. What they
 * say of the graph follows when that is known. Throws FileError, ManifestError.
 */
export async function findManifest(
  model: string,
  given: string | undefined,
  formats: readonly ForeignFormat[],
): Promise<Describe> {
  if (given !== undefined) return givenManifest(model, given, formats);
  const own = manifestPath(model);
  const json = await jsonIn(own, { ifThere: true });
  if (json === undefined) return besides(model, formats);
  const manifest = parseManifest(json, own);
  return () => ({ manifest, from: { files: [basename(own)], notes: [] } });
}

/** A file that was named: ours, else a foreign one, in the place of any of its format's files. What is wrong with it is refused. */
async function givenManifest(model: string, given: string, formats: readonly ForeignFormat[]): Promise<Describe> {
  const json = await jsonIn(given);
  const isOurs = typeof json === "object" && json !== null && "formatVersion" in json;
  const folder = dirname(given);
  const files = isOurs ? new Map<string, Read>() : await readAll(folder, formats);
  return (graph) => {
    for (const format of isOurs ? [] : formats)
      for (const role of format.files) {
        const read = new Map(files).set(role, { json, called: given });
        const made = foreignManifest([{ ...format, binding: true }], foundIn(read, graph, model));
        if (made.manifest && made.files.includes(given)) return described(made, []);
      }
    return { manifest: parseManifest(json, given), from: { files: [given], notes: [] } };
  };
}

/** What exporters left beside the model, or in it. Files that aren't JSON are left out with a note. */
async function besides(model: string, formats: readonly ForeignFormat[]): Promise<Describe> {
  const folder = dirname(model);
  const files = await readAll(folder, formats);
  // Optimum and the hub's ONNX exports keep the model in `onnx/`, its configuration one level above.
  const above = basename(resolve(folder)) === "onnx" ? await readAll(join(folder, ".."), formats, "../") : [];
  const read = new Map([...above, ...files]);
  const damaged = [...read].flatMap(([name, file]) =>
    file.problem === undefined ? [] : [[name, file.problem] as const],
  );
  const strict = formats.filter(({ binding }) => binding).flatMap((format) => format.files);
  for (const [name, problem] of damaged) if (strict.includes(name)) throw problem;
  const notes = damaged.map(([, problem]) => `${problem.message}; it is left out`);
  return (graph) => described(foreignManifest(formats, foundIn(read, graph, model)), notes);
}

type Read = { readonly json?: unknown; readonly problem?: ManifestError; readonly called: string };

function described(made: ReturnType<typeof foreignManifest>, notes: readonly string[]): ReturnType<Describe> {
  const { manifest, ...from } = made;
  return { manifest, from: { ...from, notes: [...notes, ...made.notes] } };
}

function foundIn(read: ReadonlyMap<string, Read>, graph: Found["graph"], model: string): Found {
  return {
    graph,
    name: basename(model).replace(/\.onnx$/i, ""),
    json: (file) => read.get(file)?.json,
    called: (file) => read.get(file)?.called ?? file,
  };
}

/** The files that the formats ask for, those that are there. `shown` goes before their names in messages. */
async function readAll(folder: string, formats: readonly ForeignFormat[], shown = ""): Promise<Map<string, Read>> {
  const read = new Map<string, Read>();
  for (const name of new Set(formats.flatMap((format) => format.files))) {
    const path = join(folder, name);
    try {
      const json = await jsonIn(path, { ifThere: true });
      if (json !== undefined) read.set(name, { json, called: `${shown}${name}` });
    } catch (problem) {
      if (!(problem instanceof ManifestError)) throw problem;
      read.set(name, { problem, called: `${shown}${name}` });
    }
  }
  return read;
}

/** Undefined for a file that isn't there, where that is no error. Throws FileError, ManifestError for what is no JSON. */
async function jsonIn(path: string, { ifThere = false } = {}): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path);
  } catch (error) {
    if (ifThere && error instanceof FileError && (error.cause as NodeJS.ErrnoException).code === "ENOENT")
      return undefined;
    throw error;
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ManifestError(path, `not JSON: ${(cause as Error).message}`, { cause });
  }
}
