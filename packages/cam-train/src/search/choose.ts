import { join } from "node:path";
import { type Recipe, type TrainEvent, train } from "../loop/train.ts";
import { isBetter } from "../loop/validate.ts";
import { chooseTrainable } from "../network/choose-trainable.ts";
import { adam } from "../optimisers/adam.ts";
import { schedules } from "../schedules/index.ts";
import type { SearchSetup } from "./search.ts";
import type { Architecture } from "./space.ts";

/** An architecture that was trained for a short time from fresh weights, and how its best epoch did. */
export type Candidate = {
  /** `usual`, or the last epoch after which it was the likeliest. */
  readonly name: string;
  readonly architecture: Architecture;
  readonly value: number;
  readonly loss: number;
};

export type Choice = { readonly monitor: string; readonly candidates: readonly Candidate[]; readonly best: Candidate };

export type ChooseOptions = {
  readonly folder: string;
  readonly run: string;
  readonly signal?: AbortSignal | undefined;
  readonly onCandidate?: (name: string, index: number, of: number) => void;
  readonly onEvent?: (event: TrainEvent) => void;
};

/**
 * Trains the usual architecture and the latest of the search from fresh weights on the same samples, and takes what is best on
 * those held out; of equal ones the lower loss. Undefined where it was interrupted: the trainings go on where they were.
 */
export async function chooseArchitecture(
  setup: SearchSetup,
  architectures: readonly Architecture[],
  { folder, run, signal, onCandidate, onEvent }: ChooseOptions,
): Promise<Choice | undefined> {
  const { space, config, network, dataset, loss } = setup;
  const { choose, batch, rate, decay, clip, seed, augment, workers, threads } = config;
  const wanted = candidatesOf(space.usual, architectures, choose.candidates);
  const monitor = dataset.labelKind === "class" ? "accuracy" : "loss";
  const { train: indices, held } = setup.holdOut(choose.fraction, "choose");
  const found: Candidate[] = [];
  for (const [i, { name, architecture }] of wanted.entries()) {
    onCandidate?.(name, i, wanted.length);
    const graph = network(architecture);
    const recipe: Recipe = {
      ...{ graph, loss, batch, rate, decay, clip, seed, augment, monitor },
      train: { dataset, indices },
      validation: { dataset, indices: held },
      trained: chooseTrainable(graph),
      optimiser: adam(),
      schedule: schedules.cosine.make({}),
      epochs: choose.epochs,
    };
    const trained = await train(recipe, {
      ...{ folder: join(folder, "candidates", name), resume: true, recipe: run, workers, threads, signal },
      ...(onEvent ? { onEvent } : {}),
    });
    if (trained.ended === "interrupted") return undefined;
    const { value, loss: reached } = trained.best!;
    found.push({ name, architecture, value, loss: reached });
  }
  const best = found.reduce((best, other) => (isBetter(monitor, other, best) ? other : best));
  return { monitor, candidates: found, best };
}

/** The usual one, then what was the likeliest after the last epochs, each once. */
function candidatesOf(usual: Architecture, architectures: readonly Architecture[], most: number) {
  const key = (architecture: Architecture) => JSON.stringify(Object.entries(architecture).sort());
  const seen = new Set([key(usual)]);
  const latest = architectures
    .map((architecture, i) => ({ name: `epoch-${i + 1}`, architecture }))
    .reverse()
    .filter(({ architecture }) => !seen.has(key(architecture)) && seen.add(key(architecture)));
  return [{ name: "usual", architecture: usual }, ...latest.slice(0, most)];
}
