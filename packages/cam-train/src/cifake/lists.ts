import { join } from "node:path";
import { type InputManifest, writeAtomic } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { findDuplicates, leaked } from "../data/duplicates.ts";
import { openDataset } from "../data/open.ts";
import { DataError } from "../errors.ts";
import { objectOf, objects } from "./objects.ts";

const input = { layout: "NCHW", size: [32, 32] } satisfies InputManifest;

/** How many pictures of each kind of object a part has for each verdict. */
const perObject = { train: 5000, test: 1000 } as const;

export type Lists = {
  /** Groups of pictures with the same bytes. */
  readonly duplicates: number;
  /** Test pictures whose bytes are among the training pictures. */
  readonly leaked: number;
};

/**
 * Checks that a folder holds CIFAKE, whole, and writes the lists beside its pictures that the configurations ask for:
 *
 *   unleaked.csv   path, label          test pictures whose bytes are not in training
 *   objects.csv    path, label, split   the photographs, by what they show
 *
 * Throws DataError for missing or surplus pictures.
 *
 * @param perCell for a reduced copy: how many pictures of each kind there should be
 */
export async function writeLists(
  folder: string,
  perCell: Record<keyof typeof perObject, number> = perObject,
): Promise<Lists> {
  const [train, test] = await Promise.all(
    (["train", "test"] as const).map((part) => openPart(folder, part, perCell[part])),
  );
  const duplicates = await findDuplicates([train!, test!]);
  const known = new Set(leaked(duplicates));
  const rows = (
    part: "train" | "test",
    dataset: Dataset,
    row: (file: string, label: string, index: number) => string[],
  ) =>
    Array.from({ length: dataset.count }, (_, i) => row(`${part}/${dataset.idOf(i)}`, labelIn(dataset, i), i)).flat();
  const unleaked = rows("test", test!, (file, label, i) => (known.has(i) ? [] : [`${file},${label}`]));
  const photographs = (part: "train" | "test", dataset: Dataset) =>
    rows(part, dataset, (file, label) => (label === "REAL" ? [`${file},${objects[objectOf(file)]},${part}`] : []));
  await writeAtomic(join(folder, "unleaked.csv"), `${["path,label", ...unleaked].join("\n")}\n`);
  await writeAtomic(
    join(folder, "objects.csv"),
    `${["path,label,split", ...photographs("train", train!), ...photographs("test", test!)].join("\n")}\n`,
  );
  return { duplicates: duplicates.length, leaked: known.size };
}

async function openPart(folder: string, part: "train" | "test", each: number): Promise<Dataset> {
  const dataset = await openDataset({ kind: "folder", path: join(folder, part), classes: ["FAKE", "REAL"] }, { input });
  const counts = new Map<string, number>();
  for (let i = 0; i < dataset.count; i++) {
    const cell = `${labelIn(dataset, i)}, ${objects[objectOf(dataset.idOf(i))]}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  for (const label of dataset.classes!)
    for (const object of objects) {
      const found = counts.get(`${label}, ${object}`) ?? 0;
      if (found !== each)
        throw new DataError(`${join(folder, part)}: ${found} pictures of ${label}, ${object}, expected ${each}`, {
          hint: "Fetch the data set again: docs/cifake.md says how.",
        });
    }
  return dataset;
}

function labelIn(dataset: Dataset, index: number): string {
  return dataset.classes![dataset.labelOf(index) as number]!;
}
