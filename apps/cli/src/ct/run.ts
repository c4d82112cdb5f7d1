import { closeDecoders, explainNifti, explainSeries, type Study, startDecoders } from "@camkit/medical";
import type { Context, Outcome } from "../command.ts";
import { UsageError } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { warn } from "../io.ts";
import { processAll } from "./batch.ts";
import { chooseSeries } from "./choose.ts";
import { openDestination, type StoreRequest } from "./destination.ts";
import { type Job, type JobRequest, openJob } from "./job.ts";
import { type Processed, processScan } from "./process.ts";
import { ctText } from "./result.ts";
import { openSource, type SourceRequest } from "./study.ts";

export type CtRequest = JobRequest &
  SourceRequest &
  StoreRequest & {
    readonly out: string;
    readonly select: string | undefined;
    readonly all: boolean;
    readonly resume: boolean;
  };

/** One scan from files or a PACS, or each of the files' scans: explained, written, stored. */
export async function runCt(request: CtRequest, io: Context): Promise<Outcome> {
  const niftis = request.inputs.filter(isNifti);
  if (request.resume && !request.all) throw new UsageError("--resume goes with --all");
  if (request.all) checkAll(request);
  else if (niftis.length > 0 && request.inputs.length > 1)
    throw new UsageError("a NIfTI scan is processed alone", { hint: "Give one .nii.gz at a time, or --all." });
  const destination = await openDestination(request, io);
  const { out, remapUids, select, resume } = request;
  try {
    if (niftis.length < request.inputs.length || request.dicomweb !== undefined) startDecoders(); // warm when headers are read
    const job = await openJob(request);
    const common = { out, destination, remapUids };
    if (request.all) {
      const inputs = request.inputs.filter((input) => !isNifti(input));
      const study = inputs.length > 0 ? await openTold({ ...request, inputs }, io) : { series: [], setAside: [] };
      return await processAll(job, study, niftis, { ...common, inputs, select, resume }, io);
    }
    const [nifti] = niftis;
    if (nifti === undefined) return await explainOne(job, request, io, common);
    const explain = (asked: Parameters<typeof explainNifti>[1]) => explainNifti(nifti, asked);
    return outcomeOf(await processScan(job, explain, { ...common, source: { nifti } }, io), out);
  } finally {
    await closeDecoders();
  }
}

const isNifti = (input: string) => /\.nii(\.gz)?$/i.test(input);

function checkAll({ dicomweb, store, series, inputs }: CtRequest): void {
  if (dicomweb !== undefined && !store)
    throw new UsageError("--all is for files", { hint: "`camkit ct watch --dicomweb` processes what a PACS has." });
  if (series !== undefined) throw new UsageError("--all takes every series, --series one");
  if (inputs.length === 0) throw new UsageError("nothing to read", { hint: "Give folders, files or zips." });
}

async function explainOne(
  job: Job,
  request: CtRequest,
  io: Context,
  common: Omit<Parameters<typeof processScan>[2], "source">,
): Promise<Outcome> {
  const study = await openTold(request, io);
  const { series, reason, others } = await chooseSeries(study.series, request);
  const source = {
    ...(request.inputs.length > 0 ? { inputs: request.inputs } : { dicomweb: request.dicomweb }),
    chosen: reason,
    others: others.map((other) => ({
      seriesInstanceUid: other.series.identity.SeriesInstanceUID,
      reason: other.reason,
    })),
    setAside: study.setAside,
  };
  return outcomeOf(
    await processScan(job, (asked) => explainSeries(series, asked), { ...common, source }, io),
    common.out,
  );
}

/** Says what was set aside before anything is chosen: where nothing is left to choose from, that is why. */
async function openTold(request: SourceRequest, io: Context): Promise<Study> {
  const study = await openSource(request, io);
  for (const { name, reason } of study.setAside.slice(0, 5)) warn(io, `set aside: ${name}: ${reason}`);
  if (study.setAside.length > 5) warn(io, `set aside: ${study.setAside.length - 5} more; --json lists them`);
  return study;
}

function outcomeOf({ document, stored }: Processed, out: string): Outcome {
  return {
    document: { out, ...document, ...(stored ? { stored } : {}) },
    text: () => ctText(document, out, stored),
    exitCode: stored && stored.refused.length > 0 ? exitCodes.failed : exitCodes.done,
  };
}
