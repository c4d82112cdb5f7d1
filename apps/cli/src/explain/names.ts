import { statSync } from "node:fs";
import { join } from "node:path";
import type { Item } from "../inputs.ts";
import { distinctNames, slugOf } from "../names.ts";
import type { NamedTarget } from "../targets.ts";

/** `<stem>.<method>[.<target>]`, the ending left off: what each output of an item is called. */
export function pictureName(item: Item, method: string, slug: string): string {
  return [item.stem, method, slug].filter((part) => part !== "").join(".");
}

/** One picture per sample of a batch. */
export function sampleSuffix(sample: number, n: number): string {
  return n > 1 ? `.${String(sample).padStart(String(n - 1).length, "0")}` : "";
}

/** Where raw maps go. */
export type RawTarget = { path(item: Item, target: NamedTarget, layer: number): string };

/**
 * --raw: one file where there is one input, one layer and one target; else a folder of `<stem>[.<layer>][.<target>].npy`.
 */
export function rawTarget(given: string, items: number, targets: number, layers: readonly string[]): RawTarget {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (items === 1 && layers.length === 1 && targets === 1 && !isFolder) return { path: () => given };
  const slugs = layers.length > 1 ? distinctNames(layers.map(slugOf)) : [""];
  return {
    path: (item, target, layer) => {
      const parts = [item.stem, slugs[layer] ?? "", target.slug];
      return join(given, `${parts.filter((part) => part !== "").join(".")}.npy`);
    },
  };
}
