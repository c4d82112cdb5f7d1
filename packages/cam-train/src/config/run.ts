import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { AbortedError, nativeVersions, readBytes, sizeOf, writeAtomic } from "@camkit/cam-core";
import { stringify } from "yaml";
import { RunError } from "../errors.ts";
import { runFiles, type TrainEvent, type Trained, train } from "../loop/train.ts";
import { manifestOf } from "./calibrate.ts";
import { sizeOfPart } from "./data.ts";
import { deployed, writeDeployed, writeManifest } from "./deploy.ts";
import { seenFrom, withPaths } from "./paths.ts";
import { type PreparedRun, prepareRun } from "./recipe.ts";
import { writeReport } from "./report.ts";
import { compact, type Measured, measureParts } from "./results.ts";
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

/** result.json of a run. */
export type RunDocument = ReturnType<typeof documentOf>;

const recipeFile = "recipe.yaml";
const resultFile = "result.json";

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
  if (state === "finished") return { state: "already", out, document: await finishedBefore(out, run) };
  onEvent({ kind: "prepared", run });
  await writeAtomic(join(out, recipeFile), recipeText(config, out, options.generator));
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
  if (existsSync(join(out, resultFile))) return "finished";
  return existsSync(join(out, runFiles.last)) ? "begun" : "new";
}

async function finishedBefore(out: string, { digest }: PreparedRun): Promise<RunDocument> {
  const document = JSON.parse(new TextDecoder().decode(await readBytes(join(out, resultFile)))) as RunDocument;
  if (document.digest === digest) return document;
  throw new RunError(out, "other");
}

async function finish(run: PreparedRun, trained: Trained, options: RunOptions): Promise<RunDocument> {
  const { out, generator, time, onEvent = () => {} } = options;
  const { config, recipe, tests } = run;
  const model = await writeDeployed(run, trained.weights, out);
  const validation = recipe.validation && { ...recipe.validation, name: "validation" };
  const {
    measured,
    calibration,
    warnings: unsaid,
  } = await measureParts(
    model,
    config,
    recipe.input,
    { train: recipe.train, validation, tests },
    {
      // After an interrupt here nothing is lost: going on measures again.
      signal: options.signal,
      onProgress: (part, done, total) => onEvent({ kind: "measuring", part, done, total }),
    },
  );
  const { temperature, band } = calibration;
  const made = {
    generator,
    seed: config.seed,
    recipe: withPaths(config, seenFrom(out)),
    data: dataOf(run),
    training: { ended: trained.ended, steps: trained.steps, ...(trained.best ? { best: trained.best } : {}) },
    ...(temperature ? { temperature } : {}),
    ...(band ? { band } : {}),
  };
  await writeManifest(model, measured, manifestOf(calibration, validation ? sizeOfPart(validation) : 0), made);
  const warnings = [...run.warnings, ...unsaid];
  await writeReport(run, {
    measured,
    trained,
    warnings,
    recipe: recipeText(config, out, generator),
    out,
    generator,
    time,
  });
  const document = documentOf(run, trained, {
    ...options,
    measured,
    warnings,
    made,
    sha256: model.sha256(),
    bytes: model.bytes,
  });
  await writeAtomic(join(out, resultFile), `${JSON.stringify(document, null, 2)}\n`);
  return document;
}

/** The configuration with every default, paths as seen from the run's folder: a configuration itself. */
export function recipeText(config: Config, out: string, generator: string): string {
  const { out: _, ...rest } = withPaths(config, seenFrom(out));
  return `# What ${generator} trained, with every default.\n${stringify(rest)}`;
}

function dataOf({ recipe, tests }: PreparedRun) {
  const { train, validation } = recipe;
  const parts = [{ name: "train", ...train }, ...(validation ? [{ name: "validation", ...validation }] : []), ...tests];
  return parts.map((part) => ({ name: part.name, samples: sizeOfPart(part), fingerprint: part.dataset.fingerprint }));
}

/** Parameters of a network: all, and those that train. */
export function parametersIn({ recipe: { graph, trained } }: PreparedRun): { all: number; trained: number } {
  const floats = [...graph.initializers.values()].filter(({ dtype }) => /^b?float/.test(dtype));
  return {
    all: floats.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    trained: trained.reduce((sum, name) => sum + sizeOf(graph.initializers.get(name)!.shape), 0),
  };
}

function documentOf(
  run: PreparedRun,
  trained: Trained,
  more: Pick<RunOptions, "generator" | "time"> & {
    measured: readonly Measured[];
    warnings: readonly string[];
    made: Record<string, unknown>;
    sha256: string;
    bytes: number;
  },
) {
  const { generator, time, measured, warnings, made, sha256, bytes } = more;
  return {
    ...{ generator, command: "train", time, name: run.config.name!, digest: run.digest },
    ...{ ended: trained.ended, steps: trained.steps, seconds: trained.seconds, best: trained.best ?? null },
    model: { file: deployed.model, sha256, bytes, parameters: parametersIn(run) },
    classes: run.recipe.train.dataset.classes ?? null,
    ...made,
    measured: measured.map(compact),
    warnings,
    environment: environmentOf(run.config),
    files: [
      deployed.model,
      deployed.manifest,
      recipeFile,
      runFiles.log,
      "curve.png",
      "curve.svg",
      "report.html",
      resultFile,
    ],
  };
}

/** The machine and the versions that numbers were made with. */
export function environmentOf({
  threads,
  workers,
}: {
  readonly threads?: number | undefined;
  readonly workers: number;
}) {
  return {
    node: process.versions.node,
    onnxruntime: nativeVersions().onnxruntime,
    system: `${process.platform} ${process.arch}`,
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`,
    threads: threads ?? "default",
    workers,
  };
}
