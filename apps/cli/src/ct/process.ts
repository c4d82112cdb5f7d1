import { join } from "node:path";
import { writeAtomic } from "@camkit/cam-core";
import {
  type Destination,
  type ExplainedScan,
  type ExplainRequest,
  type Stored,
  storeResults,
  writeOutputs,
} from "@camkit/medical";
import type { Io } from "../io.ts";
import { toJson } from "../output.ts";
import { openBar } from "../progress.ts";
import { checkStorable } from "./destination.ts";
import { claimFolder } from "./folder.ts";
import type { Job } from "./job.ts";
import { type CtDocument, ctDocument } from "./result.ts";

export type Processed = { readonly document: CtDocument; readonly stored: Stored | undefined };

export type ProcessRequest = {
  readonly out: string;
  readonly source: Record<string, unknown>;
  readonly destination: Destination | undefined;
  readonly remapUids: boolean;
};

/** DICOM outputs of a scan that isn't of a study, and what a folder then can't hold. */
const ofInstances = ["pm", "seg", "sc", "sr"];

/** Stores the DICOM results that a result.json lists; what its folder's journal knows as stored isn't sent again. */
export function storeWritten({ dicom }: CtDocument, out: string, destination: Destination): Promise<Stored> {
  return storeResults(
    destination,
    dicom.map(({ file }) => join(out, file)),
    join(out, "stored.jsonl"),
  );
}

/** Explains one scan, writes its outputs and result.json, and stores what goes to a PACS. */
export async function processScan(
  job: Job,
  explain: (request: ExplainRequest) => Promise<ExplainedScan>,
  { out, source, destination, remapUids }: ProcessRequest,
  io: Io,
): Promise<Processed> {
  const bar = openBar(io, "{bar} {stage}", { stage: "" });
  const onStage = (stage: string, done = 0, total = 1) => bar.show(Math.round((100 * done) / total), 100, { stage });
  try {
    const explained = await explain(job.explain({ onStage, signal: io.signal }));
    if (destination) checkStorable(explained, { remapUids });
    const kinds = job.outputs.filter((kind) => explained.scan.slices.length > 0 || !ofInstances.includes(kind));
    if (explained.statistics.peak.value === 0) bar.say("warning: the map is 0 everywhere");
    await claimFolder(out, kinds);
    const started = performance.now();
    const written = await writeOutputs(explained, out, {
      kinds,
      onOutput: (kind) => onStage(`writing ${kind}`, kinds.indexOf(kind), kinds.length),
      signal: io.signal,
    });
    const writing = {
      name: "writing",
      ms: Math.round(performance.now() - started),
      rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
    const document = ctDocument({ ...explained, stages: [...explained.stages, writing] }, written, {
      source,
      out,
    });
    await writeAtomic(join(out, "result.json"), `${toJson(document)}\n`);
    if (!destination) return { document, stored: undefined };
    onStage(`storing at ${destination.name}`);
    return { document, stored: await storeWritten(document, out, destination) };
  } finally {
    bar.stop();
  }
}
