import { join } from "node:path";
import type { InputManifest } from "@camkit/cam-core";
import { openDataset } from "../data/open.ts";
import { openReader } from "../data/source.ts";
import { keyed } from "../random.ts";
import { objectOf } from "./objects.ts";

/** The side of a picture in pixels, and how many it has. */
export const side = 32;
export const area = side * side;

/** 0 and 1, as models put them. */
export const verdicts = ["FAKE", "REAL"] as const;

export const input = { layout: "NCHW", size: [side, side] } satisfies InputManifest;

/** Pictures in memory. */
export type Pictures = {
  readonly count: number;
  /** Paths inside the part. */
  readonly ids: readonly string[];
  readonly labels: Uint8Array; // [N] 0 FAKE, 1 REAL
  readonly objects: Uint8Array; // [N] 0 … 9
  readonly pixels: Uint8Array; // [N, 32, 32, 3]
};

/** The test pictures of CIFAKE, decoded as in training: all, or so many of them, drawn by a seed. Throws DataError. */
export async function readPictures(folder: string, count?: number, seed = 1): Promise<Pictures> {
  const dataset = await openDataset({ kind: "folder", path: join(folder, "test"), classes: [...verdicts] }, { input });
  const all = Array.from({ length: dataset.count }, (_, i) => i);
  const chosen =
    count === undefined || count >= dataset.count ? all : keyed(seed, "pictures").shuffle(all).slice(0, count);
  const read = await openReader(dataset.source);
  const pixels = new Uint8Array(chosen.length * area * 3);
  for (const [slot, index] of chosen.entries())
    pixels.set((await read(index)).input!.data as Uint8Array, slot * area * 3);
  const ids = chosen.map((index) => dataset.idOf(index));
  return {
    count: chosen.length,
    ids,
    labels: Uint8Array.from(chosen, (index) => dataset.labelOf(index) as number),
    objects: Uint8Array.from(ids, objectOf),
    pixels,
  };
}

/** One picture's part of the pixels. */
export function pictureAt({ pixels }: Pick<Pictures, "pixels">, index: number): Uint8Array {
  return pixels.subarray(index * area * 3, (index + 1) * area * 3);
}
