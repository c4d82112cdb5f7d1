import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeAtomic } from "@camkit/cam-core";
import { explainNifti, explainSeries, type Series, type Study } from "@camkit/medical";
import type { Context, Outcome } from "../command.ts";
import { errorDocument, exitCodeOf, UsageError } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { distinctNames, slugOf } from "../names.ts";
import { startProgress } from "../progress.ts";
import { chooseSeries } from "./choose.ts";
import type { Job } from "./job.ts";
import { type ProcessRequest, processScan, storeWritten } from "./process.ts";
import { finishedIn, requestDigest } from "./resume.ts";
import { failedRow, type Row, rowOf, rowsText, summaryCsv } from "./summary.ts";

export type BatchRequest = Omit<ProcessRequest, "source"> & {
  readonly inputs: readonly string[];
  readonly select: string | undefined;
  /** Keep what an earlier run of the same request finished. */
  readonly resume: boolean;
};

/** One scan of a batch: what it is called, and how it is explained. */
type Task = {
  readonly name: string;
  readonly identity: Readonly<Record<string, string | undefined>>;
  readonly source: Record<string, unknown>;
  /** What tells its data from another scan's. */
  readonly data: readonly unknown[];
  readonly explain: Parameters<typeof processScan>[1];
};

/**
 * Every scan of the inputs, each into a folder of its own, and summary.csv, a row per scan, which grows as they are done. One that
 * fails is told of in its row and does no harm to the others. Throws UsageError where there is none; what opening and choosing
 * throw.
 */
export async function processAll(
  job: Job,
  { series, setAside }: Study,
  niftis: readonly string[],
  { inputs, select, out, resume, ...request }: BatchRequest,
  io: Context,
): Promise<Outcome> {
  const { fitting, others } = await fittingOf(series, select);
  const tasks = [...(await Promise.all(niftis.map(niftiTask))), ...fitting.map((one) => seriesTask(one, inputs))].sort(
    byName,
  );
  if (tasks.length === 0)
    throw new UsageError("none of the series can be processed", {
      hint: others.map(({ reason }) => reason).join("\n") || "There is no DICOM series in the inputs.",
    });
  const folders = distinctNames(tasks.map(({ name }) => slugOf(name) || "scan"));
  const rows: Row[] = [];
  // The bar counts scans; that of a scan's stages would be drawn over it.
  const quiet = tasks.length > 1 ? { ...io, stderr: { write: () => {} } } : io;
  const progress = startProgress(io, tasks.length, "scan");
  let failure: unknown;
  let kept = 0;
  const { destination, remapUids } = request;
  try {
    for (const [i, { source, identity, data, explain }] of tasks.entries()) {
      if (io.signal.aborted) break;
      const folder = folders[i]!;
      const digest = requestDigest(job.asked, destination?.name, remapUids, data);
      try {
        const before = resume ? await finishedIn(join(out, folder), digest) : undefined;
        if (before) kept++;
        const { document, stored } = before
          ? { document: before, stored: destination && (await storeWritten(before, join(out, folder), destination)) }
          : await processScan(
              job,
              explain,
              { ...request, out: join(out, folder), source: { ...source, request: digest } },
              quiet,
            );
        rows.push(rowOf(folder, identity, document, stored));
      } catch (error) {
        const { code, message } = errorDocument(error);
        if (code === "aborted") break;
        failure ??= error;
        rows.push(failedRow(folder, identity, `${code}: ${message}`));
        progress.say(`${folder}: ${message}`);
      }
      await writeAtomic(join(out, "summary.csv"), summaryCsv(rows, job.model.model.labels));
      progress.step(folder);
    }
  } finally {
    progress.stop();
  }
  const failed = rows.filter(({ error }) => error !== "").length;
  const notDone = tasks.length - rows.length;
  return {
    document: { out, command: "ct", scans: rows, failed, kept, notDone, others, setAside },
    text: () => rowsText(rows, { out, kept, notDone, others }),
    exitCode: notDone > 0 ? exitCodes.interrupted : failed > 0 ? exitCodeOf(failure) : exitCodes.done,
  };
}

/** The same folders whatever the files' order. */
const byName = (a: Task, b: Task) =>
  `${a.name} ${a.identity.SeriesInstanceUID}` < `${b.name} ${b.identity.SeriesInstanceUID}` ? -1 : 1;

/** The series that the rules name, or that can be explained without any; of the others why not. */
async function fittingOf(series: readonly Series[], select: string | undefined) {
  const fitting: Series[] = [];
  const others: { seriesInstanceUid: string | undefined; reason: string }[] = [];
  for (const one of series)
    try {
      fitting.push((await chooseSeries([one], { series: undefined, select })).series);
    } catch (error) {
      const { code, message } = errorDocument(error);
      if (code !== "no-series") throw error;
      others.push({ seriesInstanceUid: one.identity.SeriesInstanceUID, reason: message.split("\n").at(-1)!.trim() });
    }
  return { fitting, others };
}

function seriesTask(series: Series, inputs: readonly string[]): Task {
  const { identity } = series;
  return {
    name: [identity.PatientID, identity.SeriesDescription ?? "series", identity.SeriesNumber].filter(Boolean).join(" "),
    identity,
    source: { inputs, chosen: "one of all" },
    data: series.slices
      .map(({ instance, frame }) => [instance.sopInstanceUid || basename(instance.name), frame])
      .sort(),
    explain: (asked) => explainSeries(series, asked),
  };
}

async function niftiTask(path: string): Promise<Task> {
  const found = await stat(path).catch(() => undefined); // what isn't there is told of when it is read
  return {
    name: basename(path).replace(/\.nii(\.gz)?$/i, ""),
    identity: {},
    source: { nifti: path },
    data: [found?.size, found?.mtimeMs],
    explain: (asked) => explainNifti(path, asked),
  };
}
