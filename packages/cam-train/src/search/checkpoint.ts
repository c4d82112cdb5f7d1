import { existsSync } from "node:fs";
import { CheckpointError } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "../loop/safetensors.ts";
import type { Alpha } from "./alpha.ts";
import type { Architecture } from "./space.ts";
import type { Supernet } from "./supernet.ts";

/** Where a search is, beside its weights. */
export type SearchProgress = {
  /** Pairs of steps done. */
  readonly step: number;
  readonly alpha: Alpha;
  /** Losses of this epoch so far, added up. */
  readonly sums: { readonly weights: number; readonly alpha: number };
  /** The likeliest architecture after each epoch. */
  readonly architectures: readonly Architecture[];
};

const format = "camkit search 1";

/** Saves all that a search needs to go on: of the weights those that were ever updated, others are drawn again. Throws FileError. */
export async function saveSearch(
  path: string,
  supernet: Supernet,
  progress: SearchProgress,
  run: string,
): Promise<void> {
  const { weights, state, statistics, updates } = supernet;
  const arrays = { "weights/": weights, ...prefixed(state) };
  const touched = [...updates.keys()].sort();
  const tensors = Object.fromEntries([
    ...Object.entries(arrays).flatMap(([prefix, array]) =>
      touched.map((name) => {
        const { shape, data } = supernet.view(array, name);
        return [prefix + name, { shape, data: data as Float32Array }] as const;
      }),
    ),
    ...Object.entries(statistics).map(
      ([name, data]) => [`statistics/${name}`, { shape: [data.length], data }] as const,
    ),
  ]);
  const told = { ...progress, updates: Object.fromEntries(touched.map((name) => [name, updates.get(name)!])) };
  await writeSafetensors(path, { tensors, metadata: { format, run, progress: JSON.stringify(told) } });
}

/**
 * Puts a checkpoint's numbers into the supernet and says where it was; undefined where there is none. Throws FileError, and
 * CheckpointError for another search's.
 */
export async function loadSearch(path: string, supernet: Supernet, run: string): Promise<SearchProgress | undefined> {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== format) throw new CheckpointError(`${path}: not a checkpoint of a search`);
  if (metadata.run !== run)
    throw new CheckpointError(`${path} is from another search: its configuration or data differ`, {
      hint: "Go on with the configuration that it was begun with, or begin anew in another folder.",
    });
  const take = (name: string, into: Float32Array) => {
    const found = tensors[name];
    if (found?.data.length !== into.length)
      throw new CheckpointError(`${path}: "${name}" is missing or has another size`);
    into.set(found.data);
  };
  const { updates, ...progress } = JSON.parse(metadata.progress!) as SearchProgress & {
    updates: Record<string, number>;
  };
  const { weights, state, statistics } = supernet;
  for (const [name, count] of Object.entries(updates)) {
    supernet.updates.set(name, count);
    for (const [prefix, array] of Object.entries({ "weights/": weights, ...prefixed(state) }))
      take(prefix + name, supernet.view(array, name).data as Float32Array);
  }
  for (const [name, data] of Object.entries(statistics)) take(`statistics/${name}`, data);
  return progress;
}

function prefixed(state: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(state).map(([name, array]) => [`optimiser/${name}/`, array]));
}
