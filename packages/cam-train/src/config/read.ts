import { basename, dirname, resolve } from "node:path";
import { readBytes } from "@camkit/cam-core";
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ConfigError } from "../errors.ts";
import { type SearchConfig, searchSchema } from "../search/config.ts";
import { type Problem, placeOf, problemsOf } from "./issues.ts";
import { type Config, configSchema, type DataConfig, dataSchema } from "./schema.ts";

/** A configuration that fits its schema, and what its paths are relative to. */
export type ReadConfig = {
  readonly config: Config;
  /** What the file said, settings put in: what a sweep varies. */
  readonly raw: Raw;
  readonly name: string;
  readonly folder: string;
};

export type Raw = Readonly<Record<string, unknown>>;

/** `rate=0.01`, `data.train=photos`: the value is YAML. */
export type Setting = { readonly key: string; readonly value: unknown };

/** Throws ConfigError for what isn't KEY=VALUE. */
export function parseSetting(text: string): Setting {
  const at = text.indexOf("=");
  if (at < 1)
    throw new ConfigError(`"${text}" is no setting`, { hint: "Expected KEY=VALUE: rate=0.01, data.train=photos." });
  const document = parseDocument(text.slice(at + 1));
  if (document.errors.length > 0) throw new ConfigError(`${text}: ${document.errors[0]!.message}`);
  return { key: text.slice(0, at), value: document.toJS() };
}

/**
 * Reads a configuration, YAML or JSON. Throws FileError, and ConfigError that lists every problem as `file:line: where: what`.
 *
 * @param settings put into it; or what makes them of what the file says
 */
export async function readConfig(
  path: string,
  settings: readonly Setting[] | ((raw: Raw) => readonly Setting[]) = [],
): Promise<ReadConfig> {
  const { data, where } = await readYaml(path);
  if (data === null || typeof data !== "object" || Array.isArray(data))
    throw new ConfigError(`${path}: expected keys and values, found ${data === null ? "nothing" : typeof data}`);
  const name = nameOf(path);
  const put = typeof settings === "function" ? settings(data as Raw) : settings;
  return checkConfig(applied(data as Raw, put), name, dirname(path), where);
}

/** Reads a description of data, as a configuration's `data.train` is one. Throws as `readConfig` does. */
export async function readDataFile(path: string): Promise<DataConfig> {
  const { data, where } = await readYaml(path);
  return checked(dataSchema, data, where);
}

/** Reads a search's configuration; paths in it are relative to `folder`. Throws as `readConfig` does. */
export async function readSearchFile(path: string): Promise<{ config: SearchConfig; folder: string }> {
  const { data, where } = await readYaml(path);
  const config = checked(searchSchema, data, where, "Its keys and their defaults are those of `searchSchema`.");
  return { config: { ...config, name: config.name ?? nameOf(path) }, folder: resolve(dirname(path)) };
}

/** What a configuration is called that doesn't say so. */
function nameOf(path: string): string {
  return basename(path).replace(/\.(ya?ml|json)$/i, "");
}

/**
 * A configuration from parsed data. Paths in it are relative to `folder`. Throws ConfigError.
 *
 * @param where what a problem's line begins with: file and line
 */
export function checkConfig(raw: Raw, name: string, folder: string, where: Where = () => name): ReadConfig {
  const config = checked(configSchema, raw, where);
  return { config, raw, name: config.name ?? name, folder: resolve(folder) };
}

type Where = (problem: Problem) => string;

const schemaHint = "`camkit train --schema` prints what a configuration may say.";

function checked<T>(schema: z.ZodType<T>, data: unknown, where: Where, hint = schemaHint): T {
  const found = schema.safeParse(data, { reportInput: true });
  if (found.success) return found.data;
  const problems = problemsOf(found.error.issues).map(
    (problem) => `${where(problem)}: ${[placeOf(problem.path), problem.what].filter(Boolean).join(": ")}`,
  );
  throw new ConfigError(problems.join("\n"), { hint });
}

/** A file's data, and which line a problem is in. */
async function readYaml(path: string): Promise<{ data: unknown; where: Where }> {
  const lines = new LineCounter();
  const text = new TextDecoder().decode(await readBytes(path));
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0)
    throw new ConfigError(
      document.errors.map(({ pos, message }) => `${lineAt(pos[0])}: ${message.split("\n")[0]}`).join("\n"),
    );
  const where: Where = (problem) => {
    const offset = offsetOf(document, problem.path);
    return offset === undefined ? path : lineAt(offset);
  };
  return { data: document.toJS(), where };
}

/** The data with each setting put in its place; keys are joined by dots, places in a list are numbers. */
export function applied(raw: Raw, settings: readonly Setting[]): Raw {
  return settings.reduce<Raw>((config, { key, value }) => put(config, key.split("."), value, key) as Raw, raw);
}

function put(into: unknown, [key, ...rest]: readonly string[], value: unknown, whole: string): unknown {
  if (key === undefined) return value;
  if (Array.isArray(into)) {
    const at = Number(key);
    if (!Number.isInteger(at) || at < 0 || at > into.length)
      throw new ConfigError(`${whole}: "${key}" is no place in a list of ${into.length}`);
    return [...into.slice(0, at), put(into[at], rest, value, whole), ...into.slice(at + 1)];
  }
  const map = into !== null && typeof into === "object" ? (into as Record<string, unknown>) : {};
  return { ...map, [key]: put(map[key], rest, value, whole) };
}

/** Where in the text the innermost part of a path begins that is written there. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (!pair) break;
      offset = isScalar(pair.key) ? pair.key.range?.[0] : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = (node as { range?: readonly [number, ...unknown[]] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
