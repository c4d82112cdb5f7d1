import {
  type Graph,
  isStatic,
  openSession,
  type Session,
  sizeOf,
  type Tensor,
  type ValueInfo,
  viewBytes,
  zeros,
} from "@camkit/cam-core";
import { DivergedError } from "../errors.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import { type Arithmetic, openArithmetic } from "./arithmetic.ts";
import type { Layout, Slot } from "./layout.ts";
import type { StepPlan } from "./plan.ts";
import { type Arrays, openUpdate, sharing, type Update } from "./update.ts";

/** All numbers that training changes; a checkpoint holds these. */
export type State = Omit<Arrays, "gradients"> & {
  /** Running statistics of norms, by initializer. */
  readonly statistics: Readonly<Record<string, Float32Array>>;
  /** Their moving average, where one of the weights is kept: averaged weights go with averaged statistics. */
  readonly averageStatistics?: Readonly<Record<string, Float32Array>>;
};

export type StepperOptions = {
  readonly plan: StepPlan;
  readonly layout: Layout;
  readonly optimiser: Optimiser;
  /**
   * How much of the weights' moving average stays at an update, at most: min(averaging, (1 + t) / (10 + t)) at update t, so that
   * the first weights, which are nobody's choice, are soon forgotten. Undefined: none is kept.
   * Source: tf.train.ExponentialMovingAverage with num_updates.
   */
  readonly averaging?: number | undefined;
  /** Gradients longer than this are shortened to it, all together (their Euclidean norm). */
  readonly clip?: number | undefined;
  /** Whether an update may follow several batches. Default false. */
  readonly accumulates?: boolean | undefined;
  readonly threads?: number | undefined;
};

export type Batch = {
  readonly fields: Readonly<Record<string, Tensor>>;
  readonly masks?: Readonly<Record<string, Tensor>>;
};

/** What a step said. */
export type StepReport = {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** The network's outputs for the batch. */
  readonly outputs: Readonly<Record<string, Tensor>>;
};

/**
 * A network that learns. `accumulate` runs one batch forward and backward; `update` changes the weights by the mean gradient
 * of the batches since the last update. Both work on flat arrays that are allocated once: a step copies no weights.
 */
export type Stepper = {
  readonly state: State;
  /**
   * @param batch `fields` by the data's names, `masks` by input
   * @param step counts from 1. Throws DivergedError when the loss isn't finite, naming the tensor where that began.
   */
  accumulate(batch: Batch, step: number): Promise<StepReport>;
  /** @param step counts from 1. Returns the gradient's norm where it is clipped. */
  update(step: number, rate: number): Promise<{ norm?: number }>;
  close(): Promise<void>;
};

/**
 * From here on memory counts more than the few percent that planning it gains. (CovidNet3D, 4×32×128²: 3.2 -> 1.8 GB at the same
 * speed; 16×3×96² in MobileNetV2, which stays planned: 0.7 GB and 6 % faster than 0.5.)
 */
const largeStep = 2 ** 31;

/** Compiles the step and the update. The weights start as the graph has them. */
export async function openStepper(options: StepperOptions, initial: Graph): Promise<Stepper> {
  const { plan, layout, optimiser, averaging, clip, accumulates = false, threads } = options;
  const sessions: { close(): Promise<void> }[] = [];
  const opened = async <T extends { close(): Promise<void> }>(session: Promise<T>): Promise<T> => {
    sessions.push(await session);
    return session;
  };
  const close = async () => {
    for (const session of sessions) await session.close();
  };
  try {
    const backward: Session = await opened(
      openSession(plan.graph, { ...sharing(threads), optimize: "extended", plansMemory: plan.bytes < largeStep }),
    );
    const change: Update = await opened(
      openUpdate({
        layout,
        optimiser,
        scaled: accumulates || clip !== undefined,
        averages: averaging !== undefined,
        threads,
      }),
    );
    const arithmetic: Arithmetic = openArithmetic(layout, threads);
    sessions.push(arithmetic);
    const { state, gradients } = allocate(options, initial);
    return { ...stepping(plan, layout, { clip, averaging }, backward, change, arithmetic, state, gradients), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function allocate({ plan, layout, optimiser, averaging }: StepperOptions, initial: Graph) {
  const array = () => new Float32Array(layout.length);
  const weights = array();
  for (const { name, offset, length } of layout.slots) weights.set(initialValues(initial, name, length), offset);
  const statistics = Object.fromEntries(
    [...plan.statistics.keys()].map((name) => [
      name,
      Float32Array.from(initialValues(initial, name, sizeOf(initial.initializers.get(name)!.shape))),
    ]),
  );
  const state: State = {
    weights,
    state: Object.fromEntries(optimiser.state.map((name) => [name, array()])),
    statistics,
    ...(averaging === undefined ? {} : { average: weights.slice(), averageStatistics: copied(statistics) }),
  };
  return { state, gradients: array() };
}

function copied(arrays: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, data.slice()]));
}

/** Memory for an output; null where its size only shows in the run. */
function empty({ name, dtype, shape }: ValueInfo): [name: string, Tensor | null] {
  return [name, isStatic(shape) && dtype !== "string" ? zeros(dtype, shape) : null];
}

function initialValues(graph: Graph, name: string, length: number): Float32Array {
  return (viewBytes("float32", graph.initializers.get(name)!.bytes) as Float32Array).subarray(0, length);
}

function stepping(
  plan: StepPlan,
  layout: Layout,
  { clip, averaging }: Pick<StepperOptions, "clip" | "averaging">,
  backward: Session,
  change: Update,
  arithmetic: Arithmetic,
  state: State,
  gradients: Float32Array,
): Omit<Stepper, "close"> {
  const view = (array: Float32Array, { shape, offset, length }: Slot): Tensor => ({
    dtype: "float32",
    shape,
    data: array.subarray(offset, offset + length),
  });
  const weights = Object.fromEntries(layout.slots.map((slot) => [slot.name, view(state.weights, slot)]));
  const shapes = new Map(plan.graph.outputs.map(({ name, shape }) => [name, isStatic(shape) ? shape : undefined]));
  const written = (array: Float32Array) =>
    Object.fromEntries(
      layout.slots.map((slot): [string, Tensor] => {
        const name = plan.gradients.get(slot.name)!;
        return [name, view(array, { ...slot, shape: shapes.get(name) ?? slot.shape })];
      }),
    );
  const flat = (data: Float32Array): Tensor => ({ dtype: "float32", shape: [data.length], data });
  const statistics = Object.fromEntries(Object.entries(state.statistics).map(([name, data]) => [name, flat(data)]));
  const gradientsOf = new Set(plan.gradients.values());
  const told = plan.graph.outputs.filter(({ name }) => !gradientsOf.has(name));
  const first = written(gradients);
  // Where an update takes several batches: each later one's gradients, before they are added.
  let more: { array: Float32Array; fetches: Record<string, Tensor> } | undefined;
  let batches = 0;

  return {
    state,
    accumulate: async ({ fields, masks }, step) => {
      const feeds = Object.fromEntries(
        Object.entries(plan.feeds).flatMap(([field, name]) => (fields[field] ? [[name, fields[field]]] : [])),
      );
      if (batches > 0 && more === undefined) {
        const array = new Float32Array(layout.length);
        more = { array, fetches: written(array) };
      }
      const into = { ...(batches === 0 ? first : more!.fetches), ...Object.fromEntries(told.map(empty)) };
      const found = await backward.run({ ...feeds, ...masks, ...weights, ...statistics }, into);
      const scalar = (name: string) => Number((found[name]!.data as Float32Array)[0]);
      const loss = scalar(plan.loss);
      if (!Number.isFinite(loss)) throw diverged(step, layout, state.weights, batches === 0 ? gradients : more!.array);
      if (batches > 0) await arithmetic.add(gradients, more!.array);
      batches++;
      for (const [name, value] of plan.statistics) state.statistics[name]!.set(found[value]!.data as Float32Array);
      const pick = <T>(names: Readonly<Record<string, string>>, take: (name: string) => T) =>
        Object.fromEntries(Object.entries(names).map(([key, name]) => [key, take(name)]));
      return { loss, terms: pick(plan.terms, scalar), outputs: pick(plan.outputs, (name) => found[name]!) };
    },
    update: async (step, rate) => {
      const norm = clip === undefined ? undefined : (await arithmetic.norm(gradients)) / batches;
      if (norm !== undefined && !Number.isFinite(norm)) throw diverged(step, layout, state.weights, gradients);
      // torch.nn.utils.clip_grad_norm_: never longer than `clip`, with its 1e-6 against a norm of 0.
      const shortened = norm === undefined ? 1 : Math.min(1, clip! / (norm + 1e-6));
      const keep = averaging === undefined ? 0 : Math.min(averaging, (1 + step) / (10 + step));
      await change.apply({ ...state, gradients }, { update: step, rate, scale: shortened / batches, keep });
      for (const [name, average] of Object.entries(state.averageStatistics ?? {}))
        for (const [i, value] of state.statistics[name]!.entries()) average[i] = value + keep * (average[i]! - value);
      batches = 0;
      return norm === undefined ? {} : { norm };
    },
  };
}

/** Throws DivergedError when a weight isn't finite: what must not be saved. */
export function checkFinite(layout: Layout, weights: Float32Array, step: number): void {
  if (!weights.every(Number.isFinite)) throw diverged(step, layout, weights, new Float32Array());
}

/** The first weight, else the first gradient, that isn't finite; else it is the loss itself. */
function diverged(step: number, layout: Layout, weights: Float32Array, gradients: Float32Array): DivergedError {
  const spoiled = (array: Float32Array) =>
    layout.slots.find(({ offset, length }) => !array.subarray(offset, offset + length).every(Number.isFinite))?.name;
  const gradient = spoiled(gradients);
  const tensor = spoiled(weights) ?? (gradient === undefined ? "loss" : `gradient of ${gradient}`);
  return new DivergedError(step, tensor, {
    hint: "Lower the learning rate, warm it up, or clip the gradient; the last checkpoint is from before.",
  });
}
