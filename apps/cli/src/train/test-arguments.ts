import { readFileSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { fileError } from "@camkit/cam-core";
import { type DataSpec, dataSpec, readDataFile } from "@camkit/cam-train";
import { UsageError } from "../errors.ts";
import { distinctNames } from "../names.ts";

/**
 * DATA arguments by name: folders with a folder per class, .csv lists, pairs of .npy files (inputs, labels), and YAML files that
 * describe data. Throws UsageError for a .npy file without its labels, ConfigError, FileError.
 */
export async function testData(given: readonly string[]): Promise<Readonly<Record<string, DataSpec>>> {
  const specs: { name: string; spec: DataSpec }[] = [];
  for (let i = 0; i < given.length; i++) {
    const path = given[i]!;
    const name = basename(path, extname(path));
    if (/\.npy$/i.test(path)) {
      const labels = given[++i];
      if (!labels || !/\.npy$/i.test(labels))
        throw new UsageError(`${path}: its labels are missing`, { hint: "Give pairs: inputs.npy labels.npy." });
      specs.push({ name, spec: { kind: "npy", inputs: path, labels } });
    } else if (/\.(ya?ml|json)$/i.test(path)) {
      const spec = dataSpec(await readDataFile(path), (inside) => resolve(dirname(path), inside));
      specs.push({ name, spec });
    } else specs.push({ name: basename(resolve(path), ".csv"), spec: dataSpec(path, (same) => same) });
  }
  const names = distinctNames(specs.map(({ name }) => name));
  return Object.fromEntries(specs.map(({ spec }, i) => [names[i]!, spec]));
}

/** The lines of a file of sample names. Throws FileError. */
export function excludedIn(path: string | undefined): ReadonlySet<string> | undefined {
  if (path === undefined) return undefined;
  try {
    const lines = readFileSync(path, "utf8").split(/\r?\n/);
    return new Set(lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#")));
  } catch (cause) {
    throw fileError(path, cause);
  }
}
