import { join } from "node:path";
import { type Graph, sha256Hex, writeAtomic } from "@camkit/cam-core";
import { dataSpec } from "../config/paths.ts";
import type { Dataset } from "../data/dataset.ts";
import { type Feeder, openFeeder } from "../data/feeder.ts";
import { openDataset } from "../data/open.ts";
import type { DataSpec } from "../data/spec.ts";
import { holdOut, type Split } from "../data/split.ts";
import { ConfigError, DivergedError } from "../errors.ts";
import type { TrainEvent } from "../loop/train.ts";
import { buildLoss } from "../losses/index.ts";
import { createNetwork } from "../networks/create.ts";
import type { Loss } from "../step/plan.ts";
import { alphaGradient, architectureOf, drawPath, firstAlpha, likeliest, softmax, updateAlpha } from "./alpha.ts";
import { loadSearch, type SearchProgress, saveSearch } from "./checkpoint.ts";
import { type Candidate, chooseArchitecture } from "./choose.ts";
import { type SearchConfig, searchSchema } from "./config.ts";
import { openPaths } from "./paths.ts";
import { type Architecture, covidnetSpace, type SearchSpace } from "./space.ts";
import { openSupernet } from "./supernet.ts";

export type SearchEvent =
  | { readonly kind: "resumed"; readonly step: number; readonly steps: number }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly steps: number;
      /** On the path whose weights were changed, and on the one that the choices learned from. */
      readonly loss: number;
      readonly alphaLoss: number;
    }
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly loss: number;
      readonly alphaLoss: number;
      readonly architecture: Architecture;
      /** How undecided the cells are, 1 as at first, 0 where one op has everything: the mean of H(softmax α) / log(ops). */
      readonly entropy: number;
    }
  | { readonly kind: "checkpoint"; readonly step: number }
  | { readonly kind: "candidate"; readonly name: string; readonly index: number; readonly of: number }
  | { readonly kind: "training"; readonly candidate: string; readonly event: TrainEvent };

export type SearchOptions = {
  /** The search's folder. */
  readonly out: string;
  /** What paths in the configuration are relative to. Default: the process's folder */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: SearchEvent) => void;
};

export type SearchResult =
  | { readonly state: "interrupted"; readonly step: number }
  | {
      readonly state: "finished";
      readonly architecture: Architecture;
      readonly best: Candidate;
      readonly candidates: readonly Candidate[];
      readonly files: readonly string[];
    };

/** Names of a search's files. */
export const searchFiles = {
  last: "search.safetensors",
  architecture: "architecture.json",
  result: "search.json",
  ofEpoch: (epoch: number) => `architectures/epoch-${epoch}.json`,
} as const;

/** What a search works on, however it was configured. */
export type SearchSetup = {
  readonly space: SearchSpace;
  readonly config: Omit<SearchConfig, "network" | "data" | "loss">;
  readonly dataset: Dataset;
  readonly loss: Loss;
  readonly network: (architecture: Architecture) => Graph;
  /** Two parts of the samples, with as much of each class in both, groups together. */
  holdOut(fraction: number, purpose: string): Split;
};

/**
 * Searches the cells of CovidNet3D: the choices are learned on one half of the samples, the weights on the other, one path at a
 * time; then the likeliest architectures are trained for a short time beside the usual one, and the best is taken.
 *
 * Goes on from the folder's checkpoint where there is one, to the same bytes as without the stop. Throws ConfigError, DataError,
 * NetworkError, DivergedError, and CheckpointError for another search's folder.
 */
export async function search(given: unknown, options: SearchOptions): Promise<SearchResult> {
  const config = checked(given);
  const { network, data, loss, name: _n, out: _o, threads: _t, workers: _w, ...rest } = config;
  const { folder = process.cwd() } = options;
  const dataset = await openDataset(dataSpec(data, (path) => join(folder, path)) as DataSpec);
  const outputs = dataset.classes?.length ?? dataset.fields.label!.shape[0] ?? 1;
  const space = covidnetSpace({ ...network, outputs });
  const setup = setUp(space, config, dataset, (context) => buildLoss(context, loss ?? "crossEntropy"));
  return runSearch(setup, sha256Hex(JSON.stringify([rest, network, loss ?? null, dataset.fingerprint])), options);
}

function checked(given: unknown): SearchConfig {
  const found = searchSchema.safeParse(given);
  if (found.success) return found.data;
  const problems = found.error.issues.map(({ path, message }) => `${path.join(".") || "(all of it)"}: ${message}`);
  throw new ConfigError(`not a search's configuration\n  ${problems.join("\n  ")}`);
}

/** For any space. Throws DataError and ConfigError where samples can't be split. */
export function setUp(space: SearchSpace, config: SearchSetup["config"], dataset: Dataset, loss: Loss): SearchSetup {
  const { seed } = config;
  const shape = dataset.fields.input!.shape;
  const grouped = dataset.groupOf(0) !== undefined;
  return {
    ...{ space, config, dataset, loss },
    network: (architecture) =>
      createNetwork({
        ...{ name: "search", input: { name: "image", shape: ["n", ...shape] }, seed },
        layers: space.layers(architecture),
      }),
    holdOut: (fraction, purpose) =>
      holdOut(dataset, fraction, Number.parseInt(sha256Hex(`${purpose} ${seed}`).slice(0, 12), 16), {
        stratified: dataset.labelKind === "class",
        byGroup: grouped,
      }),
  };
}

/** @param run what search it is: a checkpoint of another one is refused */
export async function runSearch(setup: SearchSetup, run: string, options: SearchOptions): Promise<SearchResult> {
  const { out, signal, onEvent = () => {} } = options;
  const progress = await learn(setup, run, options);
  if (progress === undefined || progress.interrupted) return { state: "interrupted", step: progress?.step ?? 0 };
  let candidate = "";
  const choice = await chooseArchitecture(setup, progress.architectures, {
    ...{ folder: out, run, signal },
    onCandidate: (name, index, of) => {
      candidate = name;
      onEvent({ kind: "candidate", name, index, of });
    },
    onEvent: (event) => onEvent({ kind: "training", candidate, event }),
  });
  if (choice === undefined) return { state: "interrupted", step: progress.step };
  const { best, candidates, monitor } = choice;
  await writeJson(join(out, searchFiles.architecture), best.architecture);
  await writeJson(join(out, searchFiles.result), {
    run,
    monitor,
    best: best.name,
    candidates,
    alpha: progress.alpha.values,
  });
  const files = [searchFiles.last, searchFiles.architecture, searchFiles.result];
  return { state: "finished", architecture: best.architecture, best, candidates, files };
}

type Learned = SearchProgress & { readonly interrupted: boolean };

/** Both alternations: α on the second half, then the weights on the first. */
async function learn(
  setup: SearchSetup,
  run: string,
  { out, signal, onEvent = () => {} }: SearchOptions,
): Promise<Learned> {
  const { space, config, loss, network } = setup;
  const { batch, epochs, seed, rate, clip, decay, threads, temperature } = config;
  const halves = setup.holdOut(0.5, "halves");
  const feeders = [halves.train, halves.held].map((indices) => feederOf(setup, indices)) as [Feeder, Feeder];
  const supernet = await openSupernet({ space, network, decay, threads });
  const paths = openPaths({ space, network, supernet, batch, loss, seed, threads, fields: feeders[0].fields });
  try {
    const last = join(out, searchFiles.last);
    const resumed = await loadSearch(last, supernet, run);
    const perEpoch = Math.min(...feeders.map(({ stepsPerEpoch }) => stepsPerEpoch));
    const steps = perEpoch * epochs;
    const alpha = resumed?.alpha ?? firstAlpha(space.cells, seed);
    let { step, sums, architectures } = resumed ?? { step: 0, sums: { weights: 0, alpha: 0 }, architectures: [] };
    const now = (): SearchProgress => ({ step, alpha, sums, architectures });
    const save = async () => {
      await saveSearch(last, supernet, now(), run);
      onEvent({ kind: "checkpoint", step });
    };
    if (resumed) onEvent({ kind: "resumed", step, steps });
    while (step < steps && !signal?.aborted) {
      const [epoch, at] = [Math.floor(step / perEpoch), step % perEpoch];
      const [forWeights, forAlpha] = [await feeders[0].batch(epoch, at), await feeders[1].batch(epoch, at)];

      const tried = drawPath(alpha, temperature, seed, "alpha", step);
      const asked = architectureOf(space.cells, (cell) => tried[cell]!.chosen);
      const judged = await paths.shares(asked, forAlpha.fields, 2 * step);
      const gradients = Object.entries(tried).map(([cell, drawn]) => [
        cell,
        alphaGradient(drawn, judged.shares[cell] ?? 0, temperature),
      ]);
      updateAlpha(alpha, Object.fromEntries(gradients), config.alpha);

      const drawn = drawPath(alpha, temperature, seed, "weights", step);
      const path = architectureOf(space.cells, (cell) => drawn[cell]!.chosen);
      const stepped = await paths.weights(path, forWeights.fields, 2 * step + 1);
      const norm = await supernet.update(stepped.trained, { rate, clip });
      step++;
      if (!Number.isFinite(stepped.loss + judged.loss + norm))
        throw new DivergedError(step, Number.isFinite(norm) ? "loss" : "gradient", {
          hint: "Lower the rate; the last checkpoint is from before.",
        });
      sums = { weights: sums.weights + stepped.loss, alpha: sums.alpha + judged.loss };
      onEvent({ kind: "step", step, steps, loss: stepped.loss, alphaLoss: judged.loss });
      if (step % perEpoch === 0) {
        const architecture = likeliest(space.cells, alpha);
        architectures = [...architectures, architecture];
        await writeJson(join(out, searchFiles.ofEpoch(epoch + 1)), architecture);
        const means = { loss: sums.weights / perEpoch, alphaLoss: sums.alpha / perEpoch };
        onEvent({ kind: "epoch", epoch: epoch + 1, ...means, architecture, entropy: entropyOf(alpha.values) });
        sums = { weights: 0, alpha: 0 };
        await save();
      }
      // Lets signals and workers be heard: the step blocks this thread.
      await new Promise(setImmediate);
    }
    if (step % perEpoch !== 0) await save();
    return { ...now(), interrupted: step < steps };
  } finally {
    await paths.close();
    await supernet.close();
    for (const feeder of feeders) await feeder.close();
  }
}

function feederOf({ config, dataset }: SearchSetup, indices: readonly number[]): Feeder {
  const { batch, seed, workers, augment } = config;
  return openFeeder({ dataset, indices, batch, seed, workers, augment, shuffle: true, dropLast: true });
}

function entropyOf(values: Readonly<Record<string, readonly number[]>>): number {
  const open = Object.values(values).filter((each) => each.length > 1);
  const shares = open.map((each) => {
    const sum = softmax(each).reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0);
    return sum / Math.log(each.length);
  });
  return shares.reduce((total, share) => total + share, 0) / Math.max(1, shares.length);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}
