import { setImmediate } from "node:timers/promises";
import { AbortedError, CamError } from "@camkit/cam-core/data";
import { readHeader } from "./header.ts";
import type { Instance } from "./instance.ts";
import { type Series, seriesOf } from "./series.ts";
import { type Found, isEntry, type SetAside } from "./sources/entry.ts";
import { filesOf } from "./sources/inputs.ts";

export type Study = {
  readonly series: readonly Series[];
  /** What is in none of them, and why. */
  readonly setAside: readonly SetAside[];
};

export type StudyOptions = {
  /** After each file: how many were read. */
  readonly onProgress?: (files: number) => void;
  readonly signal?: AbortSignal;
};

/** Files read between two looks at the event loop: a few milliseconds. */
const filesPerTurn = 32;

/**
 * Reads the headers of everything in the inputs, and puts it into series. Inputs: paths as `filesOf` takes them, or a source of
 * one's own, such as a PACS. A damaged file is set aside with its reason, and does no harm to the others.
 * Throws FileError for inputs that aren't there, DicomError for an archive that can't be read, AbortedError.
 */
export async function openStudy(
  inputs: readonly string[] | AsyncIterable<Found>,
  { onProgress, signal }: StudyOptions = {},
): Promise<Study> {
  const instances: Instance[] = [];
  const setAside: SetAside[] = [];
  let files = 0;
  for await (const found of Array.isArray(inputs) ? filesOf(inputs) : (inputs as AsyncIterable<Found>)) {
    if (isEntry(found)) {
      try {
        instances.push(readHeader(found.name, found.store));
      } catch (error) {
        if (!(error instanceof CamError)) throw error;
        setAside.push({ name: found.name, reason: withoutName(error.message, found.name) });
      }
    } else setAside.push(found);
    onProgress?.(++files);
    if (files % filesPerTurn === 0) await setImmediate();
    if (signal?.aborted) throw new AbortedError();
  }
  const sorted = seriesOf(instances);
  return { series: sorted.series, setAside: [...setAside, ...sorted.setAside] };
}

const withoutName = (message: string, name: string) =>
  message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
