import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "@camkit/cam-core/data";
import type { Found } from "./entry.ts";

/**
 * All files in a folder and those below it. Links are followed, but no folder is entered twice: one that leads back up ends there.
 * What is hidden or can't be reached is passed over, each with its reason.
 * Throws FileError when the folder itself can't be read.
 */
export function* filesIn(folder: string): Generator<Found> {
  const entered = new Set<string>();
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    let entries: Dirent[];
    try {
      const real = realpathSync(path);
      if (entered.has(real)) {
        yield { name: path, reason: `the same folder as ${real}, which was read` };
        continue;
      }
      entered.add(real);
      entries = readdirSync(path, { withFileTypes: true });
    } catch (cause) {
      if (path === folder) throw fileError(path, cause);
      yield { name: path, reason: fileError(path, cause).message };
      continue;
    }
    // By name, so that what is said of a folder comes out the same on every file system.
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inside = join(path, entry.name);
      if (entry.name.startsWith(".")) {
        yield { name: inside, reason: "hidden" };
        continue;
      }
      const kind = entry.isSymbolicLink() ? linked(inside) : entry;
      if (kind === undefined) yield { name: inside, reason: "a link to nothing" };
      else if (kind.isDirectory()) waiting.push(inside);
      else if (kind.isFile()) yield { name: inside, store: { path: inside } };
      else yield { name: inside, reason: "no regular file" };
    }
  }
}

const linked = (path: string) => statSync(path, { throwIfNoEntry: false });
