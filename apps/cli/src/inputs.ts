import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { decodeNpy, FileError, InputError, readBytes, type Tensor, UnknownNameError } from "@camkit/cam-core";
import { UsageError } from "./errors.ts";
import { distinctNames } from "./names.ts";

/** One thing to run a model on: a picture to be prepared, or tensors fed as they are. */
export type Item = {
  readonly kind: "picture" | "tensor";
  /** As given, or below the given folder. */
  readonly file: string;
  /** What output files begin with; no two items of a list share it. */
  readonly stem: string;
};

/** The INPUT arguments: things to run on, and tensors (by input name) that go with each of them. */
export type Inputs = { readonly items: readonly Item[]; readonly shared: Readonly<Record<string, string>> };

const pictureEndings = new Set(".png .jpg .jpeg .jfif .webp .tif .tiff .gif .avif .bmp .svg".split(" "));
const named = /^([^=\\/]+)=(.+\.npy)$/i;

/**
 * Reads INPUT arguments: pictures, `.npy` tensors, `name=file.npy` for models with several inputs, and folders (their
 * pictures and `.npy` files, sorted by name; camkit's own outputs among them are left out). With named tensors alone there
 * is one item; beside others they go with each of them.
 * Throws FileError for what isn't there, InputError for a folder without inputs, UsageError for an input named twice.
 */
export function readInputs(given: readonly string[]): Inputs {
  const files: { file: string; kind: Item["kind"] }[] = [];
  const shared: Record<string, string> = {};
  for (const word of given) {
    const pair = named.exec(word);
    if (pair && kindOf(word) === "missing") {
      const [, name, file] = pair as unknown as [string, string, string];
      if (shared[name] !== undefined) throw new UsageError(`input "${name}" was given twice`);
      if (kindOf(file) !== "file") throw missing(file);
      shared[name] = file;
    } else if (kindOf(word) === "folder") files.push(...inFolder(word));
    else if (kindOf(word) === "file") files.push({ file: word, kind: isNpy(word) ? "tensor" : "picture" });
    else throw missing(word);
  }
  const first = Object.values(shared)[0];
  if (files.length === 0 && first !== undefined) files.push({ file: first, kind: "tensor" });
  const seen = new Set<string>();
  const distinct = files.filter(({ file }) => !seen.has(resolve(file)) && seen.add(resolve(file)));
  const stems = stemsOf(distinct.map(({ file }) => file));
  return { items: distinct.map((item, i) => ({ ...item, stem: stems[i]! })), shared };
}

/** The tensors of an item by input name; `main` is the input that an unnamed file is for. Throws as `decodeNpy` does. */
export async function readFeeds(
  item: Item,
  shared: Readonly<Record<string, string>>,
  main: string,
): Promise<Record<string, Tensor>> {
  const files = { ...shared };
  if (item.kind === "tensor" && !Object.values(shared).includes(item.file)) files[main] = item.file;
  return Object.fromEntries(
    await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await readNpy(file)] as const)),
  );
}

export async function readNpy(file: string): Promise<Tensor> {
  return decodeNpy(await readBytes(file), file);
}

/** Refuses names that are no input of the model. Throws UnknownNameError. */
export function checkNames(shared: Readonly<Record<string, string>>, inputs: readonly string[]): void {
  for (const name of Object.keys(shared)) if (!inputs.includes(name)) throw new UnknownNameError("input", name, inputs);
}

function kindOf(path: string): "file" | "folder" | "missing" {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts === undefined ? "missing" : facts.isDirectory() ? "folder" : "file";
}

function missing(path: string): FileError {
  const folder = kindOf(path) === "folder";
  return new FileError(path, folder ? "is a directory, expected a file" : "no such file", {
    hint: "An input is a picture, a .npy tensor, NAME=FILE.npy, or a folder of these.",
  });
}

function isNpy(path: string): boolean {
  return extname(path).toLowerCase() === ".npy";
}

function inFolder(folder: string): { file: string; kind: Item["kind"] }[] {
  const own = ownOutputs(folder);
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".") && !own.has(entry.name))
    .map((entry) => entry.name)
    .filter((name) => isNpy(name) || pictureEndings.has(extname(name).toLowerCase()))
    .sort()
    .map((name) => ({ file: join(folder, name), kind: isNpy(name) ? ("tensor" as const) : ("picture" as const) }));
  if (files.length > 0) return files;
  throw new InputError(`${folder}: no picture and no .npy file in this folder`, {
    hint: "Folders below it are not searched.",
  });
}

/** Files that an earlier run wrote here: with `--out` into the folder of the pictures, a second run must not explain them. */
function ownOutputs(folder: string): ReadonlySet<string> {
  try {
    const result = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
    return new Set(typeof result.camkit === "string" && Array.isArray(result.files) ? result.files : []);
  } catch {
    return new Set(); // none, or not ours
  }
}

/**
 * What each output's name begins with: the file's name without its ending. Where two agree (upper and lower case are one on
 * many systems), the folder's name goes in front, then the ending behind, then a number.
 */
function stemsOf(files: readonly string[]): string[] {
  const stem = (file: string) => basename(file, extname(file));
  const ways: ((file: string) => string)[] = [
    stem,
    (file) => `${basename(dirname(resolve(file)))}_${stem(file)}`,
    (file) => `${basename(dirname(resolve(file)))}_${stem(file)}_${extname(file).slice(1)}`,
  ];
  let names = files.map(stem);
  for (const way of ways.slice(1)) {
    const taken = counts(names);
    names = names.map((name, i) => (taken.get(name.toLowerCase())! > 1 ? way(files[i]!) : name));
  }
  return distinctNames(names);
}

function counts(names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of names) found.set(name.toLowerCase(), (found.get(name.toLowerCase()) ?? 0) + 1);
  return found;
}
