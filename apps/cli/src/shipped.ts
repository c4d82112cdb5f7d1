import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UnknownNameError } from "@camkit/cam-core";

/**
 * Where a model can be had from. Only what ships, so far; a model that is pulled will be one more `from` here: url and
 * sha256, kept in a cache folder, looked for in a mirror folder first.
 */
export type CatalogueEntry = {
  readonly name: string;
  readonly from: "shipped";
  /** The .onnx file. */
  readonly path: string;
};

/** The folder of shipped models: beside the installed package, else at the root of the repository. */
export function modelsFolder(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const models = join(folder, "models");
    if (existsSync(models) && entriesIn(models).length > 0) return models;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** Every model that can be named instead of a path. */
export function catalogue(): readonly CatalogueEntry[] {
  const folder = modelsFolder();
  return folder === undefined ? [] : entriesIn(folder);
}

function entriesIn(folder: string): CatalogueEntry[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(
      (entry): CatalogueEntry => ({ name: entry.name, from: "shipped", path: join(folder, entry.name, "model.onnx") }),
    )
    .filter((entry) => existsSync(entry.path))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The path of a shipped model. Throws UnknownNameError. */
export function shippedModel(name: string): CatalogueEntry {
  const known = catalogue();
  const found = known.find((entry) => entry.name === name);
  if (found) return found;
  throw new UnknownNameError(
    "model",
    name,
    known.map((entry) => entry.name),
  );
}

/** A MODEL argument as a path: a file that is there wins over a shipped model's name. Throws UnknownNameError. */
export function modelPath(given: string): string {
  if (existsSync(given) && statSync(given).isFile()) return given;
  const found = catalogue().find((entry) => entry.name === given);
  if (found) return found.path;
  const looksLikePath = /[\\/.]/.test(given) || existsSync(given);
  if (looksLikePath) return given; // opening it says what is wrong
  throw new UnknownNameError(
    "model",
    given,
    catalogue().map((entry) => entry.name),
    {
      hint: `No file has this name, and no shipped model. Shipped: ${
        catalogue()
          .map((entry) => entry.name)
          .join(", ") || "none found"
      }.`,
    },
  );
}
