import { isAbsolute, join, relative, resolve } from "node:path";
import { explainSeries, folderSource, openStudy, pacsSeriesSource, type WatchEvent, watch } from "@camkit/medical";
import { defineCommand, option, positional } from "../command.ts";
import { chooseSeries } from "../ct/choose.ts";
import { openDestination } from "../ct/destination.ts";
import { openJob } from "../ct/job.ts";
import { dicomwebOption, headerOption, jobOptions, selectOption, storeOptions } from "../ct/options.ts";
import { openPacs } from "../ct/pacs.ts";
import { processScan } from "../ct/process.ts";
import { errorText, UsageError } from "../errors.ts";

export default defineCommand({
  summary: "Explain new series as they arrive in a folder or a PACS, each exactly once.",
  description:
    "Watches until it is interrupted, and goes on after a restart where it was: what is done is recorded in --state, beside the results. A series counts as complete when nothing arrived for --settle seconds.",
  parameters: {
    folder: positional.optional("FOLDER", "where series arrive; without it, the PACS of --dicomweb"),
    state: option.required("DIR", "the folder for the journal and the results, one folder per series"),
    settle: option.number("S", "seconds without anything new after which a series is complete", 30),
    dicomweb: dicomwebOption,
    since: option.text("DATE", "with --dicomweb: studies of this date (YYYYMMDD) and after it"),
    header: headerOption,
    select: selectOption,
    ...jobOptions,
    ...storeOptions,
  },
  examples: [
    "camkit ct watch incoming/ --state results/",
    "camkit ct watch incoming/ --state results/ --dicomweb https://pacs/dicom-web --store",
    "camkit ct watch --dicomweb https://pacs/dicom-web --since 20260101 --state results/ --store",
  ],
  run: async ({ folder, state, settle, since, ...request }, io) => {
    const { dicomweb, header, remapUids, select } = request;
    if (folder === undefined && dicomweb === undefined) throw new UsageError("give the folder to watch, or --dicomweb");
    if (folder !== undefined && dicomweb !== undefined && !request.store)
      throw new UsageError("FOLDER and --dicomweb: one of them is watched", {
        hint: "With --store, series arrive in FOLDER and results go to --dicomweb.",
      });
    if (since !== undefined && !/^\d{8}$/.test(since)) throw new UsageError(`--since is YYYYMMDD, found "${since}"`);
    if (!(settle > 0)) throw new UsageError(`--settle is above 0, found ${settle}`);
    if (folder !== undefined && resolve(state) === resolve(folder))
      throw new UsageError("--state is the watched folder itself", { hint: "Results would be watched, too." });
    const destination = await openDestination(request, io);
    const job = await openJob(request);
    const source =
      folder === undefined
        ? pacsSeriesSource(openPacs(dicomweb!, header, io), {
            filter: { Modality: "CT", ...(since === undefined ? {} : { StudyDate: `${since}-` }) },
          })
        : folderSource(folder);
    const done: { study: string; series: string; folder: string }[] = [];
    const say = (line: string) => io.stderr.write(`${new Date().toISOString()} ${line}\n`);
    say(`watching ${source.name}; Ctrl-C ends it`);
    await watch({
      source,
      state,
      settleMs: settle * 1000,
      signal: io.signal,
      onEvent: (event) => say(eventText(event)),
      process: async (arrived) => {
        const study = await openStudy(entriesOf(arrived.instances()), { signal: io.signal });
        const { series } = await chooseSeries(study.series, { series: undefined, select });
        const { study: studyUid, series: seriesUid, folder: out } = arrived;
        const { document } = await processScan(
          job,
          (asked) => explainSeries(series, asked),
          { out, source: { arrivedAt: source.name, studyUid, seriesUid }, destination, remapUids },
          // A bar would be lost among the lines.
          { ...io, stderr: { write: () => {} } },
        );
        done.push({ study: studyUid, series: seriesUid, folder: out });
        say(`${seriesUid}: ${document.explained.label}, in ${relativeTo(out)}`);
      },
    });
    return {
      document: { source: source.name, state: resolve(state), processed: done },
      text: () => `${done.length} series processed; results in ${join(state, "series")}`,
    };
  },
});

async function* entriesOf(instances: AsyncIterable<{ name: string; bytes: Uint8Array }>) {
  for await (const { name, bytes } of instances) yield { name, store: { bytes } };
}

function relativeTo(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}

function eventText(event: WatchEvent): string {
  switch (event.kind) {
    case "begun":
      return `${event.series}: begun${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
    case "done":
      return `${event.series}: done`;
    case "failed":
    case "deferred":
      return `${event.series}: ${event.kind}${event.final ? ", and given up" : ""}: ${errorText(event.error).trimEnd()}`;
    case "grown":
      return `${event.series}: grew from ${event.from} to ${event.to} instances after it was done; it isn't processed again`;
    case "stray":
      return `passed over: ${event.name}: ${event.reason}`;
    case "away":
      return `can't be looked at now: ${errorText(event.error).trimEnd()}`;
  }
}
