import { readFileSync, statSync } from "node:fs";
import { type Manifest, manifestPath, parseManifest } from "@camkit/cam-core";
import { defineCommand, positional } from "../command.ts";
import { UsageError } from "../errors.ts";
import { bytes, significant } from "../format.ts";
import { type CatalogueEntry, catalogue, shippedModel } from "../shipped.ts";
import { facts } from "../table.ts";

export default defineCommand({
  summary: "The models that ship with camkit.",
  parameters: {
    action: positional.optional("list|path", "list (the default), or path to print where a model's file is"),
    name: positional.optional("NAME", "with path: which model"),
  },
  examples: ["camkit models", "camkit models path scenes"],
  run: async ({ action = "list", name }) => {
    if (action === "path") {
      if (name === undefined) throw new UsageError("models path wants a NAME", { hint: "`camkit models` lists them." });
      const { path } = shippedModel(name);
      return { document: { name, path }, text: () => path };
    }
    if (action !== "list")
      throw new UsageError(`"${action}" is neither list nor path`, { hint: "See `camkit models --help`." });
    if (name !== undefined) throw new UsageError("models list takes no NAME");
    const models = catalogue().map(describe);
    return {
      document: { models },
      text: () => (models.length > 0 ? models.map(textOf).join("\n\n") : "No model ships with this installation."),
    };
  },
});

type Described = ReturnType<typeof describe>;

function describe({ name, from, path }: CatalogueEntry) {
  const file = manifestPath(path);
  const manifest: Manifest = parseManifest(JSON.parse(readFileSync(file, "utf8")), file);
  const { version, licence, sha256, classes = [], intendedUse, limits = [], results = {} } = manifest;
  return {
    name,
    from,
    path,
    bytes: statSync(path).size,
    version,
    licence,
    sha256,
    classes,
    intendedUse,
    limits,
    results,
  };
}

function textOf({
  name,
  version,
  licence,
  bytes: size,
  classes,
  intendedUse,
  limits,
  results,
  path,
}: Described): string {
  // Where some stand beside what chance or habit reach, these say the most.
  const entries = Object.entries(results);
  const compared = entries.filter(([, { baseline }]) => baseline !== undefined);
  const told = compared.length > 0 ? compared : entries;
  const more = entries.length - told.length;
  const measured = told.map(([what, { value, baseline, unit, data }]): [string, string] => [
    `  ${what}`,
    [
      `${significant(value)}${unit ? ` ${unit}` : ""}`,
      baseline === undefined ? "" : `(${significant(baseline)} by chance or habit)`,
      data ? `on ${data}` : "",
    ]
      .filter(Boolean)
      .join(" "),
  ]);
  return facts([
    ["model", [name, version].filter(Boolean).join(" ")],
    ["licence", licence],
    ["size", bytes(size)],
    ["classes", `${classes.length}: ${classes.join(", ")}`],
    ["use", intendedUse],
    ...limits.map((limit, i): [string, string] => [i === 0 ? "limits" : "", limit]),
    ...(measured.length > 0 ? [["measured", " "] as [string, string], ...measured] : []),
    ...(more > 0 ? [["", `and ${more} more: --json`] as [string, string]] : []),
    ["file", path],
  ]);
}
