import { AbortedError } from "../errors.ts";
import type { Session } from "../runtime/runtime.ts";
import { sizeOf, type Tensor, type TypedArray } from "../tensor.ts";

/**
 * Elements of input in one run: three ImageNet pictures, some twenty small ones. A run can't be interrupted, so a large batch
 * is cut into runs of about a second at most; by size and not by the clock, so that the same input gives the same bits.
 */
const elementsPerRun = 2 ** 19;

export type ChunkOptions = {
  /** Size of the batch. */
  readonly n: number;
  /** The inputs that are cut along their first axis. */
  readonly batched: ReadonlySet<string>;
  /** The input that carries the batch. */
  readonly main: string;
  /** Feeds that depend on how many samples a run takes. */
  readonly extra: (samples: number) => Readonly<Record<string, Tensor>>;
  readonly signal?: AbortSignal | undefined;
};

/** Runs a batch in pieces and joins the outputs. Throws AbortedError between two pieces when the signal has fired. */
export async function runInChunks(
  session: Pick<Session, "run">,
  feeds: Readonly<Record<string, Tensor>>,
  { n, batched, main, extra, signal }: ChunkOptions,
): Promise<Record<string, Tensor>> {
  const step = Math.max(1, Math.floor(elementsPerRun / sizeOf(feeds[main]!.shape.slice(1))));
  const parts: Record<string, Tensor>[] = [];
  for (let from = 0; from < n; from += step) {
    if (signal?.aborted) throw new AbortedError();
    const take = Math.min(step, n - from);
    const cut = Object.entries(feeds).map(([name, tensor]) => [
      name,
      batched.has(name) ? rows(tensor, from, take) : tensor,
    ]);
    parts.push(await session.run({ ...Object.fromEntries(cut), ...extra(take) }));
  }
  if (parts.length === 1) return parts[0]!;
  return Object.fromEntries(Object.keys(parts[0]!).map((name) => [name, join(parts.map((part) => part[name]!))]));
}

/** A view on some rows. */
function rows(tensor: Tensor, from: number, count: number): Tensor {
  const stride = sizeOf(tensor.shape.slice(1));
  const data = (tensor.data as TypedArray).subarray(from * stride, (from + count) * stride) as TypedArray;
  return { dtype: tensor.dtype, shape: [count, ...tensor.shape.slice(1)], data };
}

function join(parts: readonly Tensor[]): Tensor {
  const [head] = parts as [Tensor];
  type Settable = TypedArray & { set(values: TypedArray, at: number): void };
  const length = parts.reduce((sum, part) => sum + part.data.length, 0);
  const data = new ((head.data as Settable).constructor as new (length: number) => Settable)(length);
  let at = 0;
  for (const part of parts) {
    data.set(part.data as TypedArray, at);
    at += part.data.length;
  }
  return {
    dtype: head.dtype,
    shape: [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...head.shape.slice(1)],
    data,
  };
}
