import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError, fileError } from "@camkit/cam-core/data";

/** What a file is made of, in order. A piece may be overwritten once the next one is asked for. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file piece by piece, as `writeAtomic` does in one: under a temporary name in the same folder, flushed, then renamed.
 * A piece is written before the next one is asked for, so memory holds one.
 * Throws FileError, or what `pieces` throws; the temporary file is then gone.
 */
export async function writePieces(path: string, pieces: Pieces): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomUUID()}.part`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      for await (const piece of pieces) await writeAll(file, piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to report
    throw isSystemError(cause) ? fileError(path, cause) : cause;
  }
}

/** A file's `write` may take less than it was given. */
async function writeAll(file: Awaited<ReturnType<typeof open>>, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
}

const isSystemError = (cause: unknown): boolean =>
  cause instanceof Error && !(cause instanceof FileError) && "syscall" in cause;
