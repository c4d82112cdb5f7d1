import { closeDecoders, explainNifti, explainSeries } from "@camkit/medical";
import type { Context, Outcome } from "../command.ts";
import { UsageError } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { warn } from "../io.ts";
import { chooseSeries } from "./choose.ts";
import { openDestination, type StoreRequest } from "./destination.ts";
import { type JobRequest, openJob } from "./job.ts";
import { type Processed, processScan } from "./process.ts";
import { ctText } from "./result.ts";
import { openSource, type SourceRequest } from "./study.ts";

export type CtRequest = JobRequest &
  SourceRequest &
  StoreRequest & { readonly out: string; readonly select: string | undefined };

/** One scan from files or a PACS, explained, written, stored. */
export async function runCt(request: CtRequest, io: Context): Promise<Outcome> {
  const destination = await openDestination(request, io);
  const job = await openJob(request);
  const { out, remapUids } = request;
  try {
    const nifti = niftiAmong(request.inputs);
    if (nifti !== undefined)
      return outcomeOf(
        await processScan(
          job,
          (asked) => explainNifti(nifti, asked),
          { out, source: { nifti }, destination, remapUids },
          io,
        ),
        out,
      );
    const study = await openSource(request, io);
    const { series, reason, others } = await chooseSeries(study.series, request);
    for (const { name, reason: why } of study.setAside.slice(0, 5)) warn(io, `set aside: ${name}: ${why}`);
    if (study.setAside.length > 5) warn(io, `set aside: ${study.setAside.length - 5} more; result.json lists them`);
    const source = {
      ...(request.dicomweb === undefined ? { inputs: request.inputs } : { dicomweb: request.dicomweb }),
      chosen: reason,
      others: others.map((other) => ({
        seriesInstanceUid: other.series.identity.SeriesInstanceUID,
        reason: other.reason,
      })),
      setAside: study.setAside,
    };
    return outcomeOf(
      await processScan(job, (asked) => explainSeries(series, asked), { out, source, destination, remapUids }, io),
      out,
    );
  } finally {
    await closeDecoders();
  }
}

function niftiAmong(inputs: readonly string[]): string | undefined {
  const found = inputs.filter((input) => /\.nii(\.gz)?$/i.test(input));
  if (found.length === 0) return undefined;
  if (inputs.length > 1)
    throw new UsageError("a NIfTI scan is processed alone", { hint: "Give one .nii.gz at a time." });
  return found[0];
}

function outcomeOf({ document, stored }: Processed, out: string): Outcome {
  return {
    document: { out, ...document, ...(stored ? { stored } : {}) },
    text: () => ctText(document, out, stored),
    exitCode: stored && stored.refused.length > 0 ? exitCodes.failed : exitCodes.done,
  };
}
