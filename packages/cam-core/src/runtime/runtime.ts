import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../tensor.ts";
import type { Device, RanOn } from "./ran-on.ts";

/**
 * What a runtime is to the rest: graphs in, sessions out. Nothing here imports one, so that the same engine runs on ONNX
 * Runtime for Node (`session.ts`) and in a page (`web.ts`). Throws DeviceError when the device can't be had, RuntimeFailure when
 * the graph is refused.
 */
export type OpenSession = (graph: Graph, options?: SessionOptions) => Promise<Session>;

export type SessionOptions = {
  /** A device name, which never falls back, or `auto`: the first of its order that opens. Default `cpu`. */
  device?: string | undefined;
  /** Threads inside an operator. Default: ONNX Runtime's choice, one per physical core. */
  threads?: number | undefined;
  /** ONNX Runtime's graph optimiser. Default `all`; the numeric checks switch it off. */
  optimize?: "all" | "extended" | "basic" | "disabled";
  /**
   * Threads rest as soon as a run ends. By default they spin for a while, which makes the next run start sooner, and takes the
   * processor from what runs in between: another session, for one.
   */
  restBetweenRuns?: boolean;
  /** Runs write into tensors that they are given for all outputs asked for, and nothing is copied (`withoutCopies`). */
  writesInto?: boolean;
  /**
   * After its first run the runtime lays all values of a run out in one block, which it then keeps beside what the first run took:
   * a few percent faster where values are small. false: each value is taken from memory that others left, which needs half as
   * much where they are large. Default true.
   */
  plansMemory?: boolean;
  /** Most bytes that a run's values may take; more is refused. Default: what is free when a run begins. */
  memory?: number | undefined;
  /** Writes a profile with this prefix. */
  profile?: string;
};

/** Outputs by name, each with the tensor to write it into, or null. */
export type Fetches = Readonly<Record<string, Tensor | null>>;

/** One compiled graph. Release it with `close()`; a run after that fails. */
export type Session = {
  readonly device: Device;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the graph on tensors by input name and returns the outputs by name: all, or those asked for. Asked for by a tensor,
   * an output is written into that tensor's memory; by null, into memory of its own. Throws RuntimeFailure with ONNX
   * Runtime's message, MemoryError for what can't fit.
   */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[] | Fetches): Promise<Record<string, Tensor>>;
  /** Where it runs, as far as is known by now: nodes are counted in the first run. */
  ranOn(): RanOn;
  close(): Promise<void>;
};

/** Hands a session on and releases it whatever happens. */
export async function using<T>(opening: Promise<Session>, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await opening;
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
