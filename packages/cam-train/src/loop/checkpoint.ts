import { CheckpointError } from "../errors.ts";
import type { Layout } from "../step/layout.ts";
import type { State } from "../step/stepper.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** Where a run is, beside its numbers. */
export type Progress = {
  /** Updates done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Threads inside an operator: another number may round sums differently. */
  readonly threads: number;
  /** Sums of the losses that no line of the log has told yet, for its two kinds of lines. */
  readonly sums: Readonly<Record<"step" | "epoch", Sum>>;
  /** The epoch's last step is done, its validation isn't. */
  readonly unwatched?: boolean;
  /** The best validation so far: what is watched, the loss, and the epoch (1-based). */
  readonly best?: { readonly value: number; readonly loss: number; readonly epoch: number };
};

/** Losses of several steps, added up: all of it, and each of its terms where there are several. */
export type Sum = {
  readonly loss: number;
  readonly count: number;
  readonly terms: Readonly<Record<string, number>>;
};

/** Names of what a checkpoint holds of each trained tensor: `weights/conv1.weight`, `average/…`, `optimiser/momentum/…`. */
function arraysOf(state: State): [prefix: string, array: Float32Array][] {
  return [
    ["weights/", state.weights],
    ...(state.average ? [["average/", state.average] as [string, Float32Array]] : []),
    ...Object.entries(state.state).map(([name, array]): [string, Float32Array] => [`optimiser/${name}/`, array]),
  ];
}

/** The same of running statistics: `statistics/bn1.running_mean`, `average/bn1.running_mean`. */
function statisticsOf(state: State): [name: string, array: Float32Array][] {
  const named = (prefix: string, arrays: State["statistics"] = {}) =>
    Object.entries(arrays).map(([name, array]): [string, Float32Array] => [prefix + name, array]);
  return [...named("statistics/", state.statistics), ...named("average/", state.averageStatistics)];
}

/**
 * Saves all that a run needs to go on. `run` says what run it is (a digest of its recipe, network and data): only the same goes
 * on from it. Throws FileError.
 */
export async function saveCheckpoint(
  path: string,
  layout: Layout,
  state: State,
  progress: Progress,
  run: string,
): Promise<void> {
  const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [prefix, array] of arraysOf(state))
    for (const { name, shape, offset, length } of layout.slots)
      tensors[prefix + name] = { shape, data: array.subarray(offset, offset + length) };
  for (const [name, data] of statisticsOf(state)) tensors[name] = { shape: [data.length], data };
  const metadata = { format: "camkit checkpoint 1", run, progress: JSON.stringify(progress, spelled) };
  await writeSafetensors(path, { tensors, metadata });
}

/** Puts a checkpoint's numbers into the state and says where it was. Throws FileError and CheckpointError. */
export async function loadCheckpoint(path: string, layout: Layout, state: State, run: string): Promise<Progress> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== "camkit checkpoint 1")
    throw new CheckpointError(`${path}: not a checkpoint of a training run`);
  if (metadata.run !== run)
    throw new CheckpointError(`${path} is from another run: its recipe, network or data differ`, {
      hint: "Go on with the configuration that it was begun with, or begin anew in another folder.",
    });
  const take = (name: string, into: Float32Array) => {
    const found = tensors[name];
    if (found?.data.length !== into.length)
      throw new CheckpointError(`${path}: "${name}" is missing or has another size`);
    into.set(found.data);
  };
  for (const [prefix, array] of arraysOf(state))
    for (const { name, offset, length } of layout.slots) take(prefix + name, array.subarray(offset, offset + length));
  for (const [name, data] of statisticsOf(state)) take(name, data);
  return JSON.parse(metadata.progress!, read) as Progress;
}

/** JSON has no word for a metric that isn't determined, or has no end. */
const spelled = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? `${value}` : value;
const read = (_: string, value: unknown) => (/^(NaN|-?Infinity)$/.test(`${value}`) ? Number(value) : value);

/** Trained weights and running statistics by initializer, as a network to deploy wants them: copies. */
export function weightsOf(layout: Layout, state: State): Record<string, Float32Array> {
  const from = state.average ?? state.weights;
  const statistics = state.averageStatistics ?? state.statistics;
  return {
    ...Object.fromEntries(layout.slots.map(({ name, offset, length }) => [name, from.slice(offset, offset + length)])),
    ...Object.fromEntries(Object.entries(statistics).map(([name, data]) => [name, data.slice()])),
  };
}

/** The weights of `weightsOf` as a file of their own: the best so far. Throws FileError. */
export async function saveWeights(path: string, layout: Layout, state: State, metadata: Record<string, string>) {
  const shapes = new Map(layout.slots.map(({ name, shape }) => [name, shape]));
  const tensors = Object.fromEntries(
    Object.entries(weightsOf(layout, state)).map(([name, data]) => [
      name,
      { shape: shapes.get(name) ?? [data.length], data },
    ]),
  );
  await writeSafetensors(path, { tensors, metadata });
}
