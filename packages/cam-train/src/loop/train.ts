import { access } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Graph, InputManifest } from "@camkit/cam-core";
import { AbortedError, sha256Hex, writeModel } from "@camkit/cam-core";
import type { AugmentSpec } from "../data/augment/index.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Feeder } from "../data/feeder.ts";
import type { MixSpec } from "../data/mix.ts";
import { ConfigError } from "../errors.ts";
import type { Mask } from "../network/training-form.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import { type EpochEntry, type LogEntry, TrainingLog } from "../report/log.ts";
import type { Schedule } from "../schedules/index.ts";
import type { Group, Layout } from "../step/layout.ts";
import type { Loss } from "../step/plan.ts";
import { checkFinite, type Stepper } from "../step/stepper.ts";
import { loadCheckpoint, type Progress, type Sum, saveCheckpoint, saveWeights, weightsOf } from "./checkpoint.ts";
import { drawMasks } from "./masks.ts";
import { openSteps } from "./open-steps.ts";
import { readSafetensors } from "./safetensors.ts";
import { isBetter, type Validation, validate } from "./validate.ts";

/** Samples of a data set. */
export type Part = { readonly dataset: Dataset; readonly indices?: readonly number[] };

/** Everything that decides what weights a run ends with. */
export type Recipe = {
  /** The network in inference form, with the weights to begin with. */
  readonly graph: Graph;
  /** How pictures become the network's input. */
  readonly input?: InputManifest | undefined;
  readonly train: Part;
  /** Watched after every epoch; never trained on. */
  readonly validation?: Part | undefined;
  /** Initializers to train. */
  readonly trained: readonly string[];
  readonly statistics?: "batch" | "keep" | undefined;
  readonly loss: Loss;
  readonly optimiser: Optimiser;
  /** The highest learning rate; the schedule multiplies it. */
  readonly rate: number;
  readonly schedule: Schedule;
  readonly decay?: number | undefined;
  readonly groups?: readonly Group[] | undefined;
  readonly clip?: number | undefined;
  /** Batches an update. Default 1. */
  readonly accumulate?: number | undefined;
  readonly averaging?: number | undefined;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly augment?: readonly AugmentSpec[] | undefined;
  readonly mix?: MixSpec | undefined;
  /** What the best weights are chosen by: a metric's name, or "loss". Default "loss". */
  readonly monitor?: string | undefined;
  /** Epochs without a better validation until the run ends early. Default: all epochs are run. */
  readonly patience?: number | undefined;
};

export type TrainOptions = {
  /** Where checkpoints and the log are written. */
  readonly folder: string;
  /** Goes on from the folder's checkpoint where there is one. */
  readonly resume?: boolean;
  /**
   * A digest of the configuration. With the network's weights and the data it makes a run what it is: a checkpoint of another
   * run is refused.
   */
  readonly recipe: string;
  readonly workers?: number;
  readonly threads?: number | undefined;
  /** Ends the run after the step in hand, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Steps from one line of the log to the next. Default 50. */
  readonly logEvery?: number;
  /** Seconds from one checkpoint to the next; there is one after every epoch, too. Default 60. */
  readonly checkpointSeconds?: number;
  readonly onEvent?: (event: TrainEvent) => void;
};

export type TrainEvent =
  | {
      readonly kind: "resumed";
      readonly step: number;
      readonly steps: number;
      /** Where the number of threads is another one now: what it was, and is. */
      readonly threads?: readonly [before: number, now: number];
    }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly samples: number;
    }
  | { readonly kind: "validating"; readonly done: number; readonly total: number }
  | { readonly kind: "line"; readonly entry: LogEntry }
  | { readonly kind: "best"; readonly epoch: number; readonly value: number }
  | { readonly kind: "checkpoint"; readonly step: number };

export type Trained = {
  /** Why it ended. */
  readonly ended: "finished" | "early" | "interrupted";
  readonly step: number;
  readonly steps: number;
  /** The chosen weights: those of the best validation, without one the last; by initializer. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly best?: Progress["best"];
  readonly seconds: number;
};

/** Names of the files in a run's folder. */
export const runFiles = { last: "last.safetensors", best: "best.safetensors", log: "log.jsonl" } as const;

/**
 * Trains a network. A run that was stopped at any moment, by a signal or a power cut, goes on to exactly the weights that it
 * would have had: everything random is keyed by seed and step, and a checkpoint holds everything else.
 *
 * Throws DivergedError when a number is no longer finite, CheckpointError for another run's checkpoint, and what the data,
 * the network and the loss throw.
 */
export async function train(recipe: Recipe, options: TrainOptions): Promise<Trained> {
  const steps = await openSteps(recipe, options);
  const { feeder, stepper, layout, plan } = steps;
  let log: TrainingLog | undefined;
  try {
    const last = join(options.folder, runFiles.last);
    const run = digestOf(recipe, options.recipe);
    const resumed = options.resume ? await existing(last, layout, stepper, run) : undefined;
    log = await TrainingLog.open(join(options.folder, runFiles.log), resumed?.step ?? 0, resumed?.unwatched);
    const writing = { layout, run, path: (name: string) => join(options.folder, name) };
    return await loop(recipe, options, { feeder, stepper, masks: plan.masks, log, ...writing }, resumed);
  } finally {
    log?.close();
    await steps.close();
  }
}

type Parts = {
  readonly feeder: Feeder;
  readonly stepper: Stepper;
  readonly masks: readonly Mask[];
  readonly log: TrainingLog;
  readonly layout: Layout;
  readonly run: string;
  readonly path: (name: string) => string;
};

async function loop(
  recipe: Recipe,
  options: TrainOptions,
  parts: Parts,
  resumed: Progress | undefined,
): Promise<Trained> {
  const { feeder, stepper, masks, log, layout, run, path } = parts;
  const { accumulate = 1, patience } = recipe;
  const { signal, logEvery = 50, checkpointSeconds = 60, onEvent = () => {} } = options;
  const perEpoch = Math.floor(feeder.stepsPerEpoch / accumulate);
  if (perEpoch === 0)
    throw new ConfigError(`an update takes ${accumulate} batches, an epoch has ${feeder.stepsPerEpoch}`);
  const steps = perEpoch * recipe.epochs;
  const { threads = availableParallelism() } = options;
  const started = performance.now() / 1000 - (resumed?.seconds ?? 0);
  const seconds = () => performance.now() / 1000 - started;
  let { step, sums, best }: Pick<Progress, "step" | "sums"> & { best?: Progress["best"] } = resumed ?? {
    step: 0,
    sums: { step: none, epoch: none },
  };
  let saved = seconds();
  let rate = step === 0 ? 0 : recipe.rate * recipe.schedule(step - 1, steps);

  const save = async (more: Pick<Progress, "unwatched"> = {}) => {
    checkFinite(layout, stepper.state.weights, step);
    const progress = { step, seconds: seconds(), threads, sums, ...(best ? { best } : {}), ...more };
    await saveCheckpoint(path(runFiles.last), layout, stepper.state, progress, run);
    saved = seconds();
    onEvent({ kind: "checkpoint", step });
  };
  /** A line of the log over what was summed up for its kind. */
  const line = (kind: "step" | "epoch", validation?: EpochEntry["validation"]) => {
    const { loss, count, terms } = sums[kind];
    const passed = seconds();
    const entry: LogEntry = {
      kind,
      step,
      epoch: Math.ceil(step / perEpoch),
      loss: loss / count,
      ...(Object.keys(terms).length > 0 ? { terms: mapped(terms, (sum) => sum / count) } : {}),
      rate,
      seconds: passed,
      samplesPerSecond: (step * accumulate * recipe.batch) / passed,
      ...(validation ? { validation } : {}),
    } as LogEntry;
    sums = { ...sums, [kind]: none };
    log.write(entry);
    onEvent({ kind: "line", entry });
  };
  const ended = (): Trained["ended"] | undefined => {
    if (best && patience !== undefined && step % perEpoch === 0 && step / perEpoch - best.epoch >= patience)
      return "early";
    if (step >= steps) return "finished";
    return signal?.aborted ? "interrupted" : undefined;
  };

  if (resumed)
    onEvent({
      ...{ kind: "resumed", step, steps },
      ...(resumed.threads === threads ? {} : { threads: [resumed.threads, threads] }),
    });
  /** After an epoch's last step. False where it was stopped before the validation had ended: that will be done again. */
  const endEpoch = async (): Promise<boolean> => {
    checkFinite(layout, stepper.state.weights, step);
    let found: Validation | undefined;
    try {
      found = recipe.validation && (await validate(recipe, options, recipe.validation, layout, stepper));
    } catch (error) {
      if (!(error instanceof AbortedError)) throw error;
      await save({ unwatched: true });
      return false;
    }
    line("epoch", found && { loss: found.loss, metrics: found.metrics });
    if (found && isBetter(recipe.monitor, found, best)) {
      best = { value: found.value, loss: found.loss, epoch: step / perEpoch };
      await saveWeights(path(runFiles.best), layout, stepper.state, { run, epoch: `${best.epoch}` });
      onEvent({ kind: "best", epoch: best.epoch, value: best.value });
    }
    await save();
    return true;
  };
  let end = resumed?.unwatched && !(await endEpoch()) ? "interrupted" : ended();
  while (end === undefined) {
    const epoch = Math.floor(step / perEpoch);
    let loss = 0;
    let terms: Readonly<Record<string, number>> = {};
    for (let part = 0; part < accumulate; part++) {
      const at = (step % perEpoch) * accumulate + part;
      const { fields } = await feeder.batch(epoch, at);
      const drawn = drawMasks(masks, recipe.seed, epoch * feeder.stepsPerEpoch + at);
      const said = await stepper.accumulate({ fields, masks: drawn }, step + 1);
      loss += said.loss / accumulate;
      terms = mapped(said.terms, (value, name) => (terms[name] ?? 0) + value / accumulate);
    }
    rate = recipe.rate * recipe.schedule(step, steps);
    step++;
    await stepper.update(step, rate);
    sums = { step: added(sums.step, loss, terms), epoch: added(sums.epoch, loss, terms) };
    onEvent({ kind: "step", step, steps, loss, samples: accumulate * recipe.batch });
    if (step % logEvery === 0) line("step");
    const watched = step % perEpoch !== 0 || (await endEpoch());
    if (step % perEpoch !== 0 && seconds() - saved >= checkpointSeconds) await save();
    end = watched ? ended() : "interrupted";
    // Lets signals and workers be heard: the step blocks this thread.
    await new Promise(setImmediate);
  }
  if (end === "interrupted" && step % perEpoch !== 0) await save();
  const chosen = best ? (await readSafetensors(path(runFiles.best))).tensors : undefined;
  const weights = chosen
    ? Object.fromEntries(Object.entries(chosen).map(([name, { data }]) => [name, data]))
    : weightsOf(layout, stepper.state);
  return { ended: end, step, steps, weights, ...(best ? { best } : {}), seconds: seconds() };
}

const none: Sum = { loss: 0, count: 0, terms: {} };

function added(sum: Sum, loss: number, terms: Sum["terms"]): Sum {
  return {
    loss: sum.loss + loss,
    count: sum.count + 1,
    terms: mapped(terms, (value, name) => (sum.terms[name] ?? 0) + value),
  };
}

function mapped(values: Sum["terms"], change: (value: number, name: string) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}

/** Where the folder's checkpoint left off, its numbers put into the stepper; undefined where there is none. */
async function existing(path: string, layout: Layout, stepper: Stepper, run: string): Promise<Progress | undefined> {
  try {
    await access(path);
  } catch {
    return undefined;
  }
  return loadCheckpoint(path, layout, stepper.state, run);
}

/** Which samples a part is, in a few words: its data's fingerprint, and a digest of those that are taken. */
export function samplesOf({ dataset, indices }: Part): readonly string[] {
  return [dataset.fingerprint, indices ? sha256Hex(indices.join()) : "all"];
}

/** What makes a run the same run: configuration, first weights, data. */
function digestOf({ graph, train, validation, trained }: Recipe, configuration: string): string {
  const network = sha256Hex(writeModel(graph).model);
  return sha256Hex(
    JSON.stringify([configuration, network, trained, samplesOf(train), validation ? samplesOf(validation) : []]),
  );
}
