import { AbortedError, fileError } from "@camkit/cam-core/data";
import { PixelDataError, UnsupportedPixelsError } from "../../errors.ts";
import type { Geometry } from "../../volume/geometry.ts";
import type { Volume } from "../../volume/volume.ts";
import { fillPadding, type Rescaled } from "../hounsfield.ts";
import type { Instance } from "../instance.ts";
import { type Job, type SharedVolume, sliceOf } from "./job.ts";
import { limits } from "./limits.ts";
import { decodeInThread } from "./pool.ts";
import type { Fault } from "./worker.ts";

/** Slices in the order of the geometry: which frame (0-based) of which instance each is. */
export type VolumeSource = {
  readonly geometry: Geometry;
  readonly slices: readonly { readonly instance: Instance; readonly frame: number }[];
};

export type LoadOptions = {
  readonly signal?: AbortSignal;
  /** After each slice. */
  readonly onProgress?: (done: number, total: number) => void;
};

/** A volume, and what in it is no measurement. */
export type LoadedVolume = Volume & {
  /** Voxels of pixel padding, and the value that they have now: the volume's lowest. Undefined where there are none. */
  readonly padding: { readonly voxels: number; readonly value: number } | undefined;
};

/** How many frames of one file a thread takes at a time: opening it costs something where they are many, hence not too few. */
const framesPerJob = (frames: number) => Math.max(8, Math.ceil(frames / 16));

/**
 * Decodes slices in threads and rescales each by its own slope and intercept: HU for CT.
 *
 * `data` is int16 where all values are whole numbers within ±32767, else float32, and shared memory. Pixel padding gets the
 * volume's lowest other value. Throws PixelDataError, UnsupportedPixelsError, FileError, each naming the first file it met;
 * DecoderThreadError; AbortedError.
 */
export async function loadVolume(source: VolumeSource, options: LoadOptions = {}): Promise<LoadedVolume> {
  check(source);
  const whole = source.slices.every(({ instance, frame }) => {
    const { rescaleSlope, rescaleIntercept } = instance.frames[frame]!;
    return Number.isInteger(rescaleSlope) && Number.isInteger(rescaleIntercept);
  });
  const volume = whole ? await decodeInto("int16", source, options) : undefined;
  // Values beyond int16 are seen only once they are decoded; that is rare enough to do it twice.
  return volume ?? (await decodeInto("float32", source, options))!;
}

function check({ geometry, slices }: VolumeSource): void {
  const [depth, rows, columns] = geometry.shape;
  if (depth !== slices.length) throw new RangeError(`${slices.length} slices for a geometry of ${depth}`);
  const voxels = depth * rows * columns;
  const name = slices[0]?.instance.name ?? "volume";
  if (voxels > limits.volumeVoxels)
    throw new UnsupportedPixelsError(
      name,
      `a volume of ${depth} × ${rows} × ${columns} = ${voxels} voxels: at most ${limits.volumeVoxels} are loaded`,
    );
  for (const { instance, frame } of slices) {
    if (instance.display?.modalityLut)
      throw new UnsupportedPixelsError(
        instance.name,
        "its values go through a Modality LUT (0028,3000): volumes are made of those with a slope and an intercept",
      );
    if (!instance.frames[frame])
      throw new PixelDataError(
        instance.name,
        `frame ${frame + 1} is asked for, its header has ${instance.frames.length}`,
      );
  }
}

/** Undefined where a value doesn't fit. */
async function decodeInto(
  type: SharedVolume["type"],
  source: VolumeSource,
  { signal, onProgress }: LoadOptions,
): Promise<LoadedVolume | undefined> {
  const [depth, rows, columns] = source.geometry.shape;
  const bytesPerVoxel = type === "int16" ? 2 : 4;
  const volume: SharedVolume = {
    buffer: new SharedArrayBuffer(depth * rows * columns * bytesPerVoxel),
    type,
    rows,
    columns,
  };
  // The first failure gives up what isn't begun yet.
  const stop = new AbortController();
  const abort = () => stop.abort(new AbortedError());
  if (signal?.aborted) throw new AbortedError();
  signal?.addEventListener("abort", abort, { once: true });

  let done = 0;
  const rescaled: Rescaled[] = [];
  const run = async ({ name, job }: NamedJob): Promise<void> => {
    const answer = await decodeInThread(job, stop.signal);
    stop.signal.throwIfAborted();
    if (!Array.isArray(answer)) throw errorOf(name, answer);
    for (const [i, { k }] of job.slices.entries()) {
      rescaled[k] = answer[i]!;
      onProgress?.(++done, depth);
    }
    if (answer.some(({ fits }) => !fits)) throw doesntFit;
  };
  try {
    await Promise.all(jobsOf(source, volume).map((job) => run(job).catch((cause) => giveUp(stop, cause))));
  } catch (cause) {
    if (cause === doesntFit) return undefined;
    throw cause;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  return { geometry: source.geometry, ...filled(volume, rescaled) };
}

const doesntFit = new Error("a value doesn't fit into int16");

function giveUp(stop: AbortController, cause: unknown): never {
  stop.abort(cause);
  throw stop.signal.reason; // the first one's
}

type NamedJob = { readonly name: string; readonly job: Job };

/** Neighbouring frames of one file go together, so that it is opened once for all of them. */
function jobsOf({ slices }: VolumeSource, volume: SharedVolume): NamedJob[] {
  const jobs: { name: string; instance: Instance; slices: Job["slices"][number][] }[] = [];
  for (const [k, { instance, frame }] of slices.entries()) {
    const { rescaleSlope, rescaleIntercept } = instance.frames[frame]!;
    const { pixelPaddingValue, pixelPaddingRangeLimit } = instance.pixels ?? {};
    const rescale = { rescaleSlope, rescaleIntercept, pixelPaddingValue, pixelPaddingRangeLimit };
    const last = jobs.at(-1);
    if (last?.instance === instance && last.slices.length < framesPerJob(instance.frames.length))
      last.slices.push({ frame, k, rescale });
    else jobs.push({ name: instance.name, instance, slices: [{ frame, k, rescale }] });
  }
  return jobs.map(({ name, instance: { store, transferSyntaxUid, pixels }, slices }) => ({
    name,
    job: { source: { store, transferSyntaxUid, pixels }, slices, volume },
  }));
}

function filled(volume: SharedVolume, rescaled: readonly Rescaled[]): Pick<LoadedVolume, "data" | "padding"> {
  const data = volume.type === "int16" ? new Int16Array(volume.buffer) : new Float32Array(volume.buffer);
  const voxels = rescaled.reduce((sum, { padded }) => sum + padded, 0);
  if (voxels === 0) return { data, padding: undefined };
  const lowest = rescaled.reduce((least, slice) => Math.min(least, slice.lowest), Number.POSITIVE_INFINITY);
  const value = Number.isFinite(lowest) ? lowest : 0; // where all is padding, nothing is known
  for (const [k, { padded }] of rescaled.entries()) if (padded > 0) fillPadding(sliceOf(volume, k), value);
  return { data, padding: { voxels, value } };
}

/** A thread's fault, with the name of the file. */
export function errorOf(name: string, { kind, message, hint, code }: Fault): Error {
  const options = hint === undefined ? {} : { hint };
  if (kind === "file") return fileError(name, Object.assign(new Error(message), { code }));
  if (kind === "unsupported") return new UnsupportedPixelsError(name, message, options);
  return new PixelDataError(name, message, options);
}
