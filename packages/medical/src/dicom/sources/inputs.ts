import { readFileSync, readSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileError } from "@camkit/cam-core/data";
import { withFile } from "../with-file.ts";
import type { Found } from "./entry.ts";
import { filesIn } from "./folder.ts";
import { filesInZip } from "./zip.ts";

/**
 * Files of what a user names: folders, zip archives, single files, DICOMDIR (for the folder that it is in), and `@list`, a text
 * file with one path per line, relative to itself; lines that start with # are comments.
 * Throws FileError for what isn't there.
 */
export async function* filesOf(inputs: readonly string[]): AsyncGenerator<Found> {
  for (const input of inputs) {
    if (input.startsWith("@")) yield* filesOf(listedIn(input.slice(1)));
    else if (isFolder(input)) yield* filesIn(input);
    else if (basename(input).toUpperCase() === "DICOMDIR") yield* filesIn(dirname(input));
    else if (isZip(input)) yield* filesInZip(input);
    else yield { name: input, store: { path: input } };
  }
}

function listedIn(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !/^[#@]/.test(line))
      .map((line) => resolve(dirname(path), line));
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** By its first bytes, "PK" and a version of the format; the name may be any. */
function isZip(path: string): boolean {
  const bytes = Buffer.alloc(4);
  withFile(path, (file) => readSync(file, bytes, 0, 4, 0));
  return bytes.readUInt32LE(0) === 0x04034b50 || bytes.readUInt32LE(0) === 0x06054b50;
}
