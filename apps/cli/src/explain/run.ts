import { join } from "node:path";
import { AbortedError, CamError, ranOnWarnings, writeAtomic } from "@camkit/cam-core";
import type { Outcome } from "../command.ts";
import { errorDocument } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { checkNames, type Inputs, readInputs } from "../inputs.ts";
import { breathe, type Io, warn } from "../io.ts";
import { toJson } from "../output.ts";
import { startProgress } from "../progress.ts";
import type { Entry } from "./entry.ts";
import { explainItem } from "./item.ts";
import { type ExplainRequest, type Job, openJob } from "./job.ts";
import { rawTarget } from "./names.ts";
import { type Failure, jobWarnings, resultDocument, resultText, warningsOf } from "./report.ts";

/**
 * Explains every input, one at a time. A bad one among several doesn't stop the others: it is reported, and the exit code
 * is 1. An interrupt takes effect between two inputs: what is done is written, the exit code is 130.
 */
export async function runExplain(request: ExplainRequest, given: readonly string[], io: Io): Promise<Outcome> {
  const job = await openJob({ ...request, signal: io.signal });
  try {
    const inputs = readInputs(given);
    checkNames(
      inputs.shared,
      job.model.graph.inputs.map((input) => input.name),
    );
    return await explainAll(job, inputs, io);
  } finally {
    await job.close();
  }
}

async function explainAll(job: Job, { items, shared }: Inputs, io: Io): Promise<Outcome> {
  const { request } = job;
  const first = await job.explainer(items[0]!.kind);
  const pictures = items.some((item) => item.kind === "picture");
  for (const note of jobWarnings(job, first, pictures)) warn(io, note);
  for (const warning of ranOnWarnings(first.ranOn())) warn(io, warning);
  const layers = first.layers.length > 0 ? first.layers.map((layer) => layer.value) : [job.input];
  const raw = request.raw === undefined ? undefined : rawTarget(request.raw, items.length, job.targets.length, layers);
  const entries: Entry[] = [];
  const failures: Failure[] = [];
  const progress = startProgress(io, items.length, "input");
  let begun = 0;
  try {
    for (const item of items) {
      await breathe();
      if (io.signal.aborted) break;
      begun++;
      try {
        const made = await explainItem(job, item, shared, raw);
        entries.push(...made);
        for (const warning of made.flatMap(warningsOf)) progress.say(`warning: ${warning}`);
      } catch (error) {
        if (error instanceof AbortedError) {
          begun--;
          break;
        }
        if (items.length === 1 || !isAboutInput(error)) throw error;
        failures.push({ file: item.file, error: errorDocument(error) });
        progress.say(`failed: ${errorDocument(error).message}`);
      }
      progress.step(items[begun]?.file);
    }
  } finally {
    progress.stop();
  }
  const interrupted = begun < items.length;
  if (interrupted && begun === 0) throw new AbortedError();
  const document = resultDocument(job, first, { entries, failures, interrupted, pending: items.length - begun });
  await writeAtomic(join(request.out, "result.json"), `${toJson(document)}\n`);
  return {
    document: { out: request.out, ...document },
    text: () => resultText(document, request.out),
    exitCode: interrupted ? exitCodes.interrupted : failures.length > 0 ? exitCodes.failed : exitCodes.done,
  };
}

/** A picture that can't be read is that picture's matter; an unknown class or a missing device would fail for each. */
function isAboutInput(error: unknown): boolean {
  return error instanceof CamError && error.blame === "input" && error.code !== "no-gradient-rule";
}
