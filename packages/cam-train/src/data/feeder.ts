import { AbortedError } from "@camkit/cam-core/data";
import { ConfigError } from "../errors.ts";
import { keyed } from "../random.ts";
import { type AugmentSpec, parseAugment } from "./augment/index.ts";
import { type Batch, batchTypes, type Plan } from "./batch.ts";
import type { Dataset, Fields } from "./dataset.ts";
import { type MixSpec, mixedFields, parseMix } from "./mix.ts";
import { inThisThread, startPool } from "./pool.ts";

export type FeederOptions = {
  readonly dataset: Dataset;
  /** Samples a batch. */
  readonly batch: number;
  /** Which samples, in which order. Default: all. */
  readonly indices?: readonly number[];
  /** For shuffling, augmenting and mixing. Default 0. */
  readonly seed?: number;
  /** Every epoch in its own order. Default: as given. */
  readonly shuffle?: boolean;
  /** What is done to each picture, in this order. */
  readonly augment?: readonly AugmentSpec[];
  /** What is done to each batch. */
  readonly mix?: MixSpec;
  /** Threads. Default 1; 0 makes batches in the calling thread, for a small set or a debugger. */
  readonly workers?: number;
  /** Batches in the making while one is used. Default 2. */
  readonly ahead?: number;
  /** Leaves out a last batch that isn't full. */
  readonly dropLast?: boolean;
  readonly signal?: AbortSignal;
};

/**
 * Batches of a data set. The same bytes come for the same seed, epoch and step, whatever the number of workers and whatever
 * was asked for before.
 */
export type Feeder = {
  readonly stepsPerEpoch: number;
  /** Of one sample in a batch: the data set's, with soft labels where batches are mixed. */
  readonly fields: Fields;
  /**
   * A batch, which then belongs to the caller; those after it are begun.
   * Rejects with DataError naming the sample, WorkerError, or AbortedError after `close` or the signal.
   */
  batch(epoch: number, step: number): Promise<Batch>;
  /** Ends the workers; batches still waited for are rejected with AbortedError. */
  close(): Promise<void>;
};

/** Throws ConfigError for options that don't fit the data or their schema. */
export function openFeeder(options: FeederOptions): Feeder {
  const { dataset, batch: size, seed = 0, workers = 1, signal } = options;
  const ahead = workers === 0 ? 0 : (options.ahead ?? 2); // in the calling thread nothing is gained by it
  const indices = options.indices ?? Array.from({ length: dataset.count }, (_, index) => index);
  check(options, indices);
  const stepsPerEpoch = (options.dropLast ? Math.floor : Math.ceil)(indices.length / size);
  if (stepsPerEpoch === 0)
    throw new ConfigError(`${indices.length} samples don't make one batch of ${size}`, {
      hint: "Take smaller batches, or keep the last one.",
    });

  const augment = parseAugment(options.augment ?? [], dataset.fields);
  const mix = options.mix && parseMix(options.mix, dataset);
  const plan: Plan = { source: dataset.source, fields: dataset.fields, seed, augment, mix };
  const pool = workers === 0 ? inThisThread(plan) : startPool(workers, plan);

  const orders = new Map<number, readonly number[]>();
  const orderOf = (epoch: number): readonly number[] => {
    if (!options.shuffle) return indices;
    const order = orders.get(epoch) ?? keyed(seed, "shuffle", epoch).shuffle(indices);
    for (const other of orders.keys()) if (Math.abs(other - epoch) > 1) orders.delete(other);
    orders.set(epoch, order);
    return order;
  };

  /** Batches in the making or made, by epoch and step as one number. */
  const begun = new Map<number, Promise<Batch>>();
  const begin = (at: number): Promise<Batch> => {
    const [epoch, step] = [Math.floor(at / stepsPerEpoch), at % stepsPerEpoch];
    const making =
      begun.get(at) ?? pool.make({ epoch, step, indices: orderOf(epoch).slice(step * size, (step + 1) * size) });
    making.catch(() => {}); // nobody may ever ask for it
    begun.set(at, making);
    return making;
  };

  let closed = false;
  const close = async () => {
    closed = true;
    signal?.removeEventListener("abort", close);
    begun.clear();
    await pool.close();
  };
  signal?.addEventListener("abort", close);
  if (signal?.aborted) void close();

  return {
    stepsPerEpoch,
    fields: mix ? mixedFields(dataset) : dataset.fields,
    async batch(epoch, step) {
      if (closed) throw new AbortedError();
      if (step < 0 || step >= stepsPerEpoch)
        throw new ConfigError(`step ${step} of an epoch with ${stepsPerEpoch} steps`);
      const at = epoch * stepsPerEpoch + step;
      const making = begin(at);
      begun.delete(at);
      // After a jump, what was begun elsewhere is forgotten.
      for (const other of begun.keys()) if (other < at || other > at + ahead) begun.delete(other);
      for (let next = at + 1; next <= at + ahead; next++) begin(next);
      return making;
    },
    close,
  };
}

function check({ dataset, batch, workers = 1, ahead = 2 }: FeederOptions, indices: readonly number[]): void {
  const least = { batch: [batch, 1], workers: [workers, 0], ahead: [ahead, 0] } as const;
  for (const [name, [value, minimum]] of Object.entries(least))
    if (!Number.isSafeInteger(value) || value < minimum)
      throw new ConfigError(`${name} is ${value}, expected a whole number from ${minimum}`);
  const outside = indices.find((index) => !(Number.isSafeInteger(index) && index >= 0 && index < dataset.count));
  if (outside !== undefined) throw new ConfigError(`sample ${outside} of a data set of ${dataset.count}`);
  for (const [name, { dtype }] of Object.entries(dataset.fields))
    if (!(batchTypes as readonly string[]).includes(dtype))
      throw new ConfigError(`the field "${name}" is ${dtype}; batches are made of ${batchTypes.join(", ")}`);
}
