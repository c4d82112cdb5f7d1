import { existsSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { DataSpec } from "../data/spec.ts";
import type { Config, DataConfig } from "./schema.ts";

/** What a path in a configuration becomes. */
type Move = (path: string) => string;

/** Keys of a data set whose values are paths, by its kind. A generator's may be a file: or data: URL. */
const pathKeys: { readonly [K in DataSpec["kind"]]: readonly string[] } = {
  folder: ["path"],
  list: ["path", "root"],
  npy: ["inputs", "labels", "groups"],
  module: ["url"],
};

/** Every way to describe data as the long one, with its paths moved. A string that ends in .csv is a list, else a folder. */
export function dataSpec(data: DataConfig, move: Move): DataSpec {
  if (typeof data === "string")
    return { kind: data.toLowerCase().endsWith(".csv") ? "list" : "folder", path: move(data) };
  const moved = pathKeys[data.kind].flatMap((key) => {
    const path = (data as unknown as Record<string, string | undefined>)[key];
    return path === undefined || /^(file|data):/.test(path) ? [] : [[key, move(path)]];
  });
  return { ...data, ...Object.fromEntries(moved) };
}

/** The test sets of a configuration by name; one alone is called "test". */
export function testsOf(test: Config["data"]["test"]): Readonly<Record<string, DataConfig>> {
  if (test === undefined) return {};
  return isData(test) ? { test } : (test as Record<string, DataConfig>);
}

/** The configuration with all its paths moved, and data described the long way. */
export function withPaths(config: Config, move: Move): Config {
  const { data, network } = config;
  const { validation, test } = data;
  return {
    ...config,
    ...(config.out === undefined ? {} : { out: move(config.out) }),
    network:
      "model" in network
        ? { ...network, model: isName(network.model, move) ? network.model : move(network.model) }
        : network,
    data: {
      ...data,
      train: dataSpec(data.train, move),
      ...(validation === undefined ? {} : { validation: isData(validation) ? dataSpec(validation, move) : validation }),
      ...(test === undefined
        ? {}
        : {
            test: Object.fromEntries(Object.entries(testsOf(test)).map(([name, each]) => [name, dataSpec(each, move)])),
          }),
    },
  };
}

/** From a folder's point of view, with slashes: what is written into files that may travel. */
export function seenFrom(folder: string): Move {
  return (path) => relative(folder, resolve(path)).split(sep).join("/") || ".";
}

export function isData(value: object | string): value is DataConfig {
  return typeof value === "string" || (value as { kind?: unknown }).kind !== undefined;
}

/** A word without slash or ending names a model that ships, unless a file of that name is there. */
function isName(model: string, move: Move): boolean {
  return /^[\w-]+$/.test(model) && !existsSync(move(model));
}
