import type { InputManifest, Tensor } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import type { Cache } from "./cache.ts";
import { arrayReader } from "./read-arrays.ts";
import { fileReader } from "./read-files.ts";
import { generatorReader } from "./read-generator.ts";

/** Picture files, prepared as `input` says. */
export type FileSource = {
  readonly kind: "files";
  readonly root: string;
  /** Paths from `root`. */
  readonly ids: readonly string[];
  readonly masks: readonly string[] | undefined;
  readonly labels: Tensor; // [N] or [N, K]
  readonly input: InputManifest;
  readonly cache: Cache | undefined;
};

/** Arrays in shared memory. With `input` they are pictures, uint8 [N, H, W, 1 or 3]; else finished tensors. */
export type ArraySource = {
  readonly kind: "arrays";
  readonly inputs: Tensor; // [N, ...]
  readonly labels: Tensor; // [N] or [N, K]
  readonly input: InputManifest | undefined;
};

export type GeneratorSource = {
  readonly kind: "generator";
  readonly url: string;
  readonly export: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly input: InputManifest | undefined;
};

/** How samples are read: plain data, handed to each worker once. */
export type Source = FileSource | ArraySource | GeneratorSource;

/** The tensors of one sample, by field. They belong to the source: who changes them copies them first. */
export type Sample = Readonly<Record<string, Tensor>>;
export type Reader = (index: number) => Sample | Promise<Sample>;

const readers: { readonly [K in Source["kind"]]: (source: Extract<Source, { kind: K }>) => Reader | Promise<Reader> } =
  {
    files: fileReader,
    arrays: arrayReader,
    generator: generatorReader,
  };

/** A reader whose errors are DataErrors that name the sample. */
export async function openReader(source: Source): Promise<Reader> {
  const read = await (readers[source.kind] as (source: Source) => Reader | Promise<Reader>)(source);
  const named = (index: number, cause: unknown): DataError => {
    if (cause instanceof DataError) return cause;
    const id = source.kind === "files" ? source.ids[index] : `sample ${index}`;
    return new DataError(`${id}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  };
  return (index) => {
    try {
      const sample = read(index);
      return sample instanceof Promise ? sample.catch((cause) => Promise.reject(named(index, cause))) : sample;
    } catch (cause) {
      throw named(index, cause);
    }
  };
}
