import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";
import { openFiles, type PictureFile } from "./files.ts";
import type { DatasetOptions } from "./open.ts";
import type { FolderSpec } from "./spec.ts";

const pictureName = /\.(jpe?g|png|webp|tiff?|gif|avif|bmp)$/i;

/** One folder per class. Everything is taken in the order of its name, so that a copy elsewhere is the same data set. */
export async function openFolder(spec: FolderSpec, options: DatasetOptions): Promise<Dataset> {
  const { folders, others } = entriesOf(spec.path, "");
  const classes = spec.classes ?? folders;
  const missing = classes.find((name) => !folders.includes(name));
  if (missing !== undefined && !options.someClasses)
    throw new DataError(`${spec.path}: no folder for the class "${missing}"`, {
      hint: folders.length > 0 ? `Folders there: ${folders.join(", ")}.` : "Expected one folder per class.",
    });
  if (classes.length < 2 && spec.classes === undefined)
    throw new DataError(`${spec.path}: expected one folder per class, found ${classes.length}`, {
      hint: "Put the pictures of each class into a folder of their own, side by side.",
    });

  const stray = [...others, ...folders.filter((name) => !classes.includes(name)).map((name) => `${name}/`)];
  const files: PictureFile[] = [];
  classes.forEach((name, label) => {
    if (!folders.includes(name)) return;
    const before = files.length;
    for (const id of filesIn(spec.path, name)) {
      if (pictureName.test(id)) files.push({ id, label });
      else stray.push(id);
    }
    if (files.length === before) throw new DataError(`${join(spec.path, name)}: no pictures of this class`);
  });
  const listing = { root: spec.path, files, classes, labelKind: "class", stray } as const;
  return openFiles(spec.path, listing, { ...options, skipUnreadable: spec.skipUnreadable });
}

function filesIn(root: string, folder: string): string[] {
  const { folders, others } = entriesOf(root, folder);
  const path = (name: string) => `${folder}/${name}`; // ids have slashes on every system
  return [...others.map(path), ...folders.flatMap((name) => filesIn(root, path(name)))];
}

function leadsToFolder(link: string): boolean {
  try {
    return statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (cause) {
    throw fileError(link, cause); // links in a ring
  }
}

/** What a folder of a data set holds; links to folders are folders. Throws FileError. */
export function entriesOf(root: string, folder: string): { folders: string[]; others: string[] } {
  const at = join(root, folder);
  let entries: Dirent[];
  try {
    entries = readdirSync(at, { withFileTypes: true });
  } catch (cause) {
    throw fileError(at, cause);
  }
  const isFolder = (entry: Dirent) =>
    entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(join(at, entry.name)));
  const names = (wanted: boolean) =>
    entries
      .filter((entry) => isFolder(entry) === wanted)
      .map(({ name }) => name)
      .sort(); // by code unit: no language's order
  return { folders: names(true), others: names(false) };
}
