import { closeSync, openSync } from "node:fs";
import { fileError } from "@camkit/cam-core/data";

/** Opens a file for reading, and closes it whatever happens. Throws FileError for what the file system says, and what `use` throws. */
export function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    return use(file);
  } catch (cause) {
    throw cause instanceof Error && "syscall" in cause ? fileError(path, cause) : cause;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
