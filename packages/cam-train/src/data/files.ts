import { sha256Hex } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import { createCache } from "./cache.ts";
import type { DataReport, Dataset, Label, LabelKind } from "./dataset.ts";
import { labelTensor } from "./labels.ts";
import type { DatasetOptions } from "./open.ts";
import { pictureField } from "./prepare.ts";
import { pictureAt } from "./read-files.ts";

/** Picture files with their labels, from a folder or a list. */
export type Listing = {
  /** What the files are relative to. */
  readonly root: string;
  readonly files: readonly PictureFile[];
  readonly classes: readonly string[] | undefined;
  readonly labelKind: LabelKind;
  readonly stray: readonly string[];
};

export type PictureFile = {
  readonly id: string;
  readonly label: Label;
  readonly group?: string;
  readonly mask?: string;
};

/** The data set of a listing. `name` is the folder or list, for messages. */
export async function openFiles(
  name: string,
  listing: Listing,
  { input, cacheBytes = 2 ** 30, skipUnreadable = false }: DatasetOptions & { skipUnreadable?: boolean | undefined },
): Promise<Dataset> {
  if (input === undefined)
    throw new DataError(`${name}: pictures need to know their size`, {
      hint: "Give the model's input: layout, size, resize and channel order, as in its manifest.",
    });
  const { root, classes, labelKind, stray } = listing;
  const unreadable = skipUnreadable ? await findUnreadable(listing) : [];
  const left = new Set(unreadable.map(({ id }) => id));
  const files = listing.files.filter(({ id }) => !left.has(id));
  if (files.length === 0) throw new DataError(`${name}: no pictures`);
  const had = new Set(listing.files.map(({ label }) => label));
  const have = new Set(files.map(({ label }) => label));
  const emptied = [...had].find((label) => typeof label === "number" && !have.has(label));
  if (emptied !== undefined)
    throw new DataError(`${name}: no picture of the class "${classes?.[emptied as number]}" can be read`);

  const picture = pictureField(input);
  const [height, width, channels] = picture.shape as [number, number, number];
  const masked = files[0]!.mask !== undefined;
  const labels = labelTensor(files.map(({ label }) => label));
  const ids = files.map(({ id }) => id);
  return {
    count: files.length,
    classes,
    labelKind,
    fields: {
      input: picture,
      label: { dtype: labels.dtype, shape: labels.shape.slice(1) },
      ...(masked && { mask: { dtype: "uint8", shape: [height, width] } }),
    },
    labelOf: (index) => files[index]!.label,
    groupOf: (index) => files[index]!.group,
    idOf: (index) => ids[index]!,
    fingerprint: sha256Hex(JSON.stringify([classes, files])),
    report: { stray, unreadable },
    source: {
      kind: "files",
      root,
      ids,
      masks: masked ? files.map(({ mask }) => mask!) : undefined,
      labels,
      input,
      cache: createCache(files.length, height * width * (channels + (masked ? 1 : 0)), cacheBytes),
    },
  };
}

async function findUnreadable({ root, files }: Listing): Promise<DataReport["unreadable"]> {
  const found: { id: string; reason: string }[] = [];
  for (const { id, mask } of files)
    for (const file of mask === undefined ? [id] : [id, mask])
      await pictureAt(root, file).catch((cause: Error) => found.push({ id, reason: cause.message }));
  return found;
}
