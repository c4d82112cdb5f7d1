import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError } from "@camkit/cam-core/data";

/**
 * A file of JSON lines that only grows: what is written was flushed to the disk, what a killed process left half written is
 * skipped. The records' meaning is the caller's. Throws FileError.
 */
export async function readJournal<T>(path: string): Promise<T[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw fileError(path, cause);
  });
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as T];
    } catch {
      return []; // half a line: its writer was killed, and nobody relied on it
    }
  });
}

/** Adds records in one write, and returns when they are on the disk. Makes the file, and the folders above it. */
export async function appendJournal(path: string, records: readonly object[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "a+");
    try {
      const { size } = await file.stat();
      const last = Buffer.alloc(1);
      if (size > 0) await file.read(last, 0, 1, size - 1);
      // After a line that was cut off, a new one begins.
      const start = size > 0 && last[0] !== 0x0a ? "\n" : "";
      await file.writeFile(start + records.map((record) => `${JSON.stringify(record)}\n`).join(""));
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError(path, cause);
  }
}
