import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AbortedError, fileError, type Tensor } from "@camkit/cam-core/data";
import type { Dataset } from "./dataset.ts";
import { openReader } from "./source.ts";

/** Samples with the same bytes: which data set (of those asked about), and which of its samples. */
export type Duplicate = readonly { readonly dataset: number; readonly index: number }[];

/**
 * Which samples are the same to the byte, within a data set and across several: each group that has more than one member,
 * in the order of its first. Files are compared as files (the same picture saved twice differs), tensors by their elements.
 *
 * @param signal between two samples: throws AbortedError
 */
export async function findDuplicates(datasets: readonly Dataset[], signal?: AbortSignal): Promise<Duplicate[]> {
  const groups = new Map<string, { dataset: number; index: number }[]>();
  for (const [dataset, { count, source }] of datasets.entries()) {
    const read = source.kind === "files" ? undefined : await openReader({ ...source, input: undefined });
    for (let index = 0; index < count; index++) {
      if (signal?.aborted) throw new AbortedError();
      const bytes = source.kind === "files" ? fileBytes(source.root, source.ids[index]!) : (await read!(index)).input!;
      const hash = createHash("sha256")
        .update(bytes instanceof Uint8Array ? bytes : elements(bytes))
        .digest("base64");
      const group = groups.get(hash);
      if (group) group.push({ dataset, index });
      else groups.set(hash, [{ dataset, index }]);
      if (index % 256 === 255) await new Promise(setImmediate); // a signal can come through
    }
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** The samples of the second data set whose twin is in the first: what a test must leave out to be honest. */
export function leaked(duplicates: readonly Duplicate[]): number[] {
  return duplicates
    .filter((group) => group.some(({ dataset }) => dataset === 0))
    .flatMap((group) => group.filter(({ dataset }) => dataset === 1).map(({ index }) => index))
    .sort((a, b) => a - b);
}

function fileBytes(root: string, id: string): Uint8Array {
  try {
    return readFileSync(resolve(root, id));
  } catch (cause) {
    throw fileError(id, cause);
  }
}

function elements({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
