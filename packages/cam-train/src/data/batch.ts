import type { Tensor } from "@camkit/cam-core/data";
import { keyed } from "../random.ts";
import { type Augment, augment } from "./augment/index.ts";
import type { Fields } from "./dataset.ts";
import { type Mix, mixed } from "./mix.ts";
import { openReader, type Sample, type Source } from "./source.ts";

/** The tensors of several samples, by field, with the batch axis first. */
export type Batch = {
  readonly fields: Readonly<Record<string, Tensor>>;
  /** Which samples they are. */
  readonly indices: readonly number[];
};

/** What every batch of a feeder has in common: plain data, handed to each worker once. */
export type Plan = {
  readonly source: Source;
  /** Of one sample, before mixing. */
  readonly fields: Fields;
  readonly seed: number;
  readonly augment: readonly Augment[];
  readonly mix: Mix | undefined;
};

/** One batch to make. */
export type Job = { readonly epoch: number; readonly step: number; readonly indices: readonly number[] };

export type MakeBatch = (job: Job) => Promise<Batch>;

/** Samples that are read at the same time: files, in sharp's threads. A generator may give the same memory again and again. */
const inFlight = { files: 4, arrays: 1, generator: 1 } as const;

/** Makes batches: read, augment, lay side by side. What a sample looks like depends on seed, epoch and index alone. */
export async function openMaker({ source, fields, seed, augment: steps, mix }: Plan): Promise<MakeBatch> {
  const read = await openReader(source);
  const names = Object.keys(fields);
  const isBgr = source.input?.channelOrder === "BGR";

  return async ({ epoch, step, indices }) => {
    const batch = Object.fromEntries(names.map((name) => [name, empty(fields[name]!, indices.length)]));
    let next = 0;
    const lane = async () => {
      while (next < indices.length) {
        const slot = next++;
        const index = indices[slot]!;
        // Only what has to wait waits: a promise a sample costs more than a flip.
        const pending = read(index);
        let sample = pending instanceof Promise ? await pending : pending;
        if (steps.length > 0) {
          const changed = augment(sample, steps, keyed(seed, "augment", epoch, index));
          sample = changed instanceof Promise ? await changed : changed;
        }
        for (const name of names) put(batch[name]!, slot, sample[name]!);
      }
    };
    try {
      await Promise.all(Array.from({ length: inFlight[source.kind] }, lane));
    } catch (cause) {
      next = indices.length; // the other lanes need not go on
      throw cause;
    }
    if (isBgr && batch.input!.dtype === "uint8") swapEnds(batch.input!.data as Uint8Array);
    return { fields: mix ? mixed(batch, mix, keyed(seed, "mix", epoch, step)) : batch, indices };
  };
}

const arrays = {
  uint8: Uint8Array,
  bool: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
export type BatchType = keyof typeof arrays;
export const batchTypes = Object.keys(arrays) as readonly BatchType[];

function empty({ dtype, shape }: Fields[string], count: number): Tensor {
  const full = [count, ...shape];
  const size = full.reduce((product, dim) => product * dim, 1);
  return { dtype, shape: full, data: new arrays[dtype as BatchType](size) };
}

function put(batch: Tensor, slot: number, sample: Sample[string]): void {
  (batch.data as Uint8Array).set(sample.data as Uint8Array, slot * sample.data.length);
}

function swapEnds(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 3) [pixels[i], pixels[i + 2]] = [pixels[i + 2]!, pixels[i]!];
}
