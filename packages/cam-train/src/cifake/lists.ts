import { join } from "node:path";
import { writeAtomic } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { openDataset } from "../data/open.ts";
import { DataError } from "../errors.ts";
import { objectOf, objects } from "./objects.ts";
import { input, verdicts } from "./pictures.ts";

/** How many pictures of each kind of object a part has for each verdict. */
const perObject = { train: 5000, test: 1000 } as const;
type Part = keyof typeof perObject;

/**
 * Checks that a folder holds CIFAKE, whole, and writes objects.csv beside its pictures: the photographs by what they show, with
 * the columns path, label, split. Returns how many there are. Throws DataError for missing or surplus pictures.
 *
 * @param each for a reduced copy: how many pictures of each kind there should be
 */
export async function writeObjects(folder: string, each: Record<Part, number> = perObject): Promise<number> {
  const rows: string[] = [];
  for (const part of ["train", "test"] as const) {
    const dataset = await openPart(folder, part, each[part]);
    for (let i = 0; i < dataset.count; i++) {
      const file = dataset.idOf(i);
      if (labelIn(dataset, i) === "REAL") rows.push(`${part}/${file},${objects[objectOf(file)]},${part}`);
    }
  }
  await writeAtomic(join(folder, "objects.csv"), `${["path,label,split", ...rows].join("\n")}\n`);
  return rows.length;
}

async function openPart(folder: string, part: Part, each: number): Promise<Dataset> {
  const dataset = await openDataset({ kind: "folder", path: join(folder, part), classes: [...verdicts] }, { input });
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
