import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../errors.ts";

/** What the system's error codes mean to a person, and what to do about each. */
const reasons: Readonly<Record<string, [reason: string, hint?: string]>> = {
  ENOENT: ["no such file", "Check the path."],
  EISDIR: ["is a directory, expected a file"],
  ENOTDIR: ["a part of the path is a file, expected a directory"],
  EEXIST: ["a part of the path is a file, expected a directory"],
  EACCES: ["no permission", "Check who owns it and its mode."],
  EPERM: ["no permission", "Check who owns it and its mode."],
  EROFS: ["the file system is read-only", "Choose another folder."],
  ENOSPC: ["the disk is full", "Make room or choose another folder."],
  EMFILE: ["too many files are open", "Raise the limit: ulimit -n."],
  ENAMETOOLONG: ["the name is too long"],
  ERR_FS_FILE_TOO_LARGE: ["larger than 2 GiB, too large to read at once"],
};

/** All bytes of a file. Throws FileError: missing, a directory, no permission, and whatever else the system says. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/**
 * Writes a file so that a reader finds the old content or all of the new one, never half: a temporary name in the same
 * folder, flushed, then renamed. Makes the folders above it. Text is written as UTF-8.
 * Throws FileError; the temporary file is then gone.
 */
export async function writeAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomUUID()}.part`);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to report
    throw fileError(path, cause);
  }
}

/**
 * Makes a folder and those above it. Node's own recursive mkdir (20) spins for ever where a file system answers ENOENT for a
 * new entry of a folder that is there, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || (await exists(dirname(path)))) throw cause;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The SHA-256 digest in lower-case hexadecimal, as `sha256sum` prints it. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A system error as a FileError that says what happened and what to do. */
export function fileError(path: string, cause: unknown): FileError {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const [reason, hint] = reasons[code] ?? [message];
  return new FileError(path, reason, { cause, ...(hint === undefined ? {} : { hint }) });
}
