import { existsSync } from "node:fs";
import { join } from "node:path";
import { AbortedError, readBytes, writeAtomic } from "@camkit/cam-core";
import { stringify } from "yaml";
import { RunError } from "../errors.ts";
import { runFiles, type TrainEvent, type Trained, train } from "../loop/train.ts";
import { manifestOf } from "./calibrate.ts";
import { sizeOfPart } from "./data.ts";
import { writeDeployed, writeManifest } from "./deploy.ts";
import { documentOf, type Finished, originOf, type RunDocument, travelling, written } from "./document.ts";
import { type PreparedRun, prepareRun } from "./recipe.ts";
import { writeReport } from "./report.ts";
import { measureParts } from "./results.ts";
import type { Config } from "./schema.ts";

/** What happens in a run: the training's own events, and what comes after it. */
export type RunEvent =
  | TrainEvent
  | { readonly kind: "prepared"; readonly run: PreparedRun }
  | { readonly kind: "measuring"; readonly part: string; readonly done: number; readonly total: number };

export type RunOptions = {
  /** The run's folder. */
  readonly out: string;
  readonly resume?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** "camkit 0.1.0". */
  readonly generator: string;
  /** What results are dated. */
  readonly time: string;
  readonly fold?: number;
  readonly onEvent?: (event: RunEvent) => void;
};

/** How a run ended: `already` when it had been finished before. */
export type RunResult =
  | { readonly state: "interrupted"; readonly out: string; readonly trained: Trained }
  | { readonly state: "finished" | "already"; readonly out: string; readonly document: RunDocument };

/**
 * Runs a configuration from data to deployed model, or goes on where it was stopped. The folder then holds the model with its
 * manifest, the recipe with every default, log, curve, report, result and checkpoints.
 *
 * Throws RunError for a folder that holds a run already (without `resume`), and what preparing and training throw.
 *
 * @param config with all paths resolved
 */
export async function runConfig(config: Config, options: RunOptions): Promise<RunResult> {
  const { out, resume = false, signal, onEvent = () => {} } = options;
  const state = stateOf(out);
  if (state !== "new" && !resume) throw new RunError(out, state);
  const run = await prepareRun(config, options.fold);
  const document = state === "finished" ? await finishedBefore(out, run) : undefined;
  if (document) return { state: "already", out, document };
  onEvent({ kind: "prepared", run });
  if (state === "new") await writeAtomic(join(out, written.recipe), recipeText(run.config, options));
  const trained = await train(run.recipe, {
    folder: out,
    resume,
    recipe: run.digest,
    workers: config.workers,
    threads: config.threads,
    signal,
    onEvent,
  });
  if (trained.ended === "interrupted") return { state: "interrupted", out, trained };
  try {
    return { state: "finished", out, document: await finish(run, trained, options) };
  } catch (error) {
    if (error instanceof AbortedError) return { state: "interrupted", out, trained };
    throw error;
  }
}

/** What a folder holds: nothing that would be lost, a checkpoint of a run that isn't through, or a finished run. */
export function stateOf(out: string): "new" | "begun" | "finished" {
  if (existsSync(join(out, written.result))) return "finished";
  return existsSync(join(out, runFiles.last)) ? "begun" : "new";
}

/** Refuses a folder in which a training run lies: a test's files would take the place of its own. Throws RunError. */
export async function refuseRun(out: string): Promise<void> {
  const state = stateOf(out);
  if (state === "begun") throw new RunError(out, state);
  if (state === "finished" && (await resultIn(out)).command === "train") throw new RunError(out, state);
}

/** result.json of a folder that was finished. Throws FileError. */
export async function resultIn(out: string): Promise<RunDocument> {
  return JSON.parse(new TextDecoder().decode(await readBytes(join(out, written.result)))) as RunDocument;
}

/**
 * What a finished run found, where it is this one. Undefined where its weights are those of this one and other things are asked
 * of them: another calibration, other test samples. Throws RunError for a run of other weights.
 */
async function finishedBefore(out: string, run: PreparedRun): Promise<RunDocument | undefined> {
  const document = await resultIn(out);
  if (document.digest !== run.digest) throw new RunError(out, "other");
  return document.asked === run.asked ? document : undefined;
}

/** Deploys, measures what was deployed, and writes down how it came about; result.json, last, makes the run a finished one. */
async function finish(run: PreparedRun, trained: Trained, options: RunOptions): Promise<RunDocument> {
  const { out, generator, time, signal, onEvent = () => {} } = options;
  const { config, recipe, tests } = run;
  const model = await writeDeployed(run, trained.weights, out);
  const validation = recipe.validation && { ...recipe.validation, name: "validation" };
  const parts = { train: recipe.train, validation, tests };
  // After an interrupt here nothing is lost: going on measures again.
  const { measured, calibration, warnings } = await measureParts(model, config, recipe.input, parts, {
    signal,
    onProgress: (part, done, total) => onEvent({ kind: "measuring", part, done, total }),
  });
  const all = [...run.warnings, ...warnings];
  const recipeYaml = recipeText(config, options);
  await writeAtomic(join(out, written.recipe), recipeYaml);
  const finished: Finished = { out, generator, time, trained, measured, calibration, warnings: all };
  const kept = manifestOf(calibration, validation ? sizeOfPart(validation) : 0);
  await writeManifest(model, measured, kept, originOf(run, finished));
  await writeReport(run, finished, recipeYaml);
  const document = documentOf(run, finished, { sha256: model.sha256(), bytes: model.bytes });
  await writeAtomic(join(out, written.result), `${JSON.stringify(document, null, 2)}\n`);
  return document;
}

/** The configuration with every default: a configuration itself. */
function recipeText(config: Config, { out, generator }: Pick<RunOptions, "out" | "generator">): string {
  return `# What ${generator} trained, with every default.\n${stringify(travelling(config, out))}`;
}
