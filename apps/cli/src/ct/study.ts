import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { type DicomwebClient, findSeries, openStudy, pacsSource, type Study, textOf } from "@camkit/medical";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { openBar } from "../progress.ts";
import { openPacs } from "./pacs.ts";

/** Where scans come from: files, or a PACS. */
export type SourceRequest = {
  readonly inputs: readonly string[];
  readonly dicomweb: string | undefined;
  readonly study: string | undefined;
  readonly series: string | undefined;
  readonly header: readonly string[];
  /** Whether results go to the PACS of `dicomweb`. */
  readonly store?: boolean;
};

/** The series of all inputs. Throws UsageError for a request that names no source, or two; what openStudy and the PACS throw. */
export async function openSource(request: SourceRequest, io: Io): Promise<Study> {
  const { inputs, study, header } = request;
  // Beside INPUT, with --store, it is where results go.
  const dicomweb = inputs.length > 0 && request.store ? undefined : request.dicomweb;
  if (dicomweb === undefined) {
    if (study !== undefined) throw new UsageError("--study is for --dicomweb");
    if (inputs.length === 0)
      throw new UsageError("nothing to read", { hint: "Give a folder, files or a zip; or --dicomweb with --study." });
    return counted(io, (onProgress) => openStudy(distinct(inputs), { onProgress, signal: io.signal }));
  }
  if (inputs.length > 0)
    throw new UsageError("INPUT and --dicomweb: a scan comes from one of them", {
      hint: "With --store, the scan is INPUT and results go to --dicomweb.",
    });
  if (study === undefined) throw new UsageError("--dicomweb needs --study, and --series where the study has several");
  const client = openPacs(dicomweb, header, io);
  const series = request.series ?? (await onlyCt(client, study));
  return counted(io, (onProgress) => openStudy(entries(client, { study, series }), { onProgress, signal: io.signal }));
}

/** Without what is named twice or lies in a folder that is named, too: its slices would be there twice. */
function distinct(inputs: readonly string[]): string[] {
  const real = inputs.map((input) => {
    try {
      return realpathSync(input);
    } catch {
      return input; // an @list, or missing: reading says so
    }
  });
  return inputs.filter((_, i) =>
    real.every((other, j) => (other === real[i] ? j >= i : !real[i]!.startsWith(other.replace(/[\\/]?$/, sep)))),
  );
}

async function* entries(client: DicomwebClient, of: { study: string; series: string }) {
  for await (const { name, bytes } of pacsSource(client, of)) yield { name, store: { bytes } };
}

/** The study's CT series, if it is the only one: a whole study isn't fetched to look. */
async function onlyCt(client: DicomwebClient, study: string): Promise<string> {
  const found: { uid: string; modality: string; count: string }[] = [];
  for await (const series of findSeries(client, { study }))
    found.push({
      uid: textOf(series, "SeriesInstanceUID"),
      modality: textOf(series, "Modality"),
      count: textOf(series, "NumberOfSeriesRelatedInstances"),
    });
  const scans = found.filter(({ modality }) => modality === "CT");
  if (scans.length === 1) return scans[0]!.uid;
  const listed = found.map(({ uid, modality, count }) => `${uid} (${modality}, ${count} instances)`).join(", ");
  throw new UsageError(
    found.length === 0
      ? `the PACS has no study ${study}`
      : `the study has ${scans.length} CT series: --series says which one`,
    found.length === 0 ? {} : { hint: `Its series: ${listed}.` },
  );
}

/** Counts files on a terminal while `read` runs. */
async function counted<T>(io: Io, read: (onProgress: (files: number) => void) => Promise<T>): Promise<T> {
  const bar = openBar(io, "reading headers: {value} files", {});
  try {
    return await read((files) => bar.show(files, Number.MAX_SAFE_INTEGER, {}));
  } finally {
    bar.stop();
  }
}
