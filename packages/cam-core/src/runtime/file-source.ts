import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { ByteSource } from "../model/source.ts";
import { fileError } from "./files.ts";

/** A file whose parts are read when they are asked for. `whileOpen` keeps it open for many reads in a row. */
export type FileSource = ByteSource & { whileOpen<T>(use: () => T): T };

/** Throws FileError for a file that can't be read; so do its reads. */
export function fileSource(path: string): FileSource {
  let handle: number | undefined;
  const opened = <T>(use: (fd: number) => T): T => {
    if (handle !== undefined) return use(handle);
    const fd = openSync(path, "r");
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  };
  const guarded = <T>(use: () => T): T => {
    try {
      return use();
    } catch (cause) {
      throw fileError(path, cause);
    }
  };
  const size = guarded(() => opened((fd) => sizeOf(fd)));
  return {
    size,
    file: { folder: dirname(resolve(path)), name: basename(path) },
    read: (offset, length) =>
      guarded(() =>
        opened((fd) => {
          const bytes = new Uint8Array(length);
          for (let at = 0, read = 1; at < length && read > 0; at += read)
            read = readSync(fd, bytes, at, length - at, offset + at);
          return bytes;
        }),
      ),
    whileOpen: (use) => {
      handle = guarded(() => openSync(path, "r"));
      try {
        return use();
      } finally {
        closeSync(handle);
        handle = undefined;
      }
    },
  };
}

/** A directory has a size too, but reading it says what it is. */
function sizeOf(fd: number): number {
  const stat = fstatSync(fd);
  if (stat.isDirectory()) readSync(fd, new Uint8Array(1), 0, 1, 0);
  return stat.size;
}

/** SHA-256 of a whole file in lower-case hexadecimal, a block at a time. */
export function sha256OfFile(source: FileSource): string {
  const hash = createHash("sha256");
  const block = 2 ** 22;
  source.whileOpen(() => {
    for (let at = 0; at < source.size; at += block) hash.update(source.read(at, Math.min(block, source.size - at)));
  });
  return hash.digest("hex");
}
