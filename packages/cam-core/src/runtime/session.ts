import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { DeviceError, RuntimeFailure } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { type WrittenModel, writeModel } from "../model/write.ts";
import type { DType, Tensor } from "../tensor.ts";
import { chooseDevice } from "./providers.ts";
import { type Fetches, type Session, type SessionOptions, using } from "./runtime.ts";

/** Weights of at least this many bytes stay in the buffer they were read into; below it a copy is cheaper than a lookup. */
const externalFrom = 1024;

/** Compiles a graph. Throws DeviceError when the device can't be had, RuntimeFailure when ONNX Runtime refuses the graph. */
export async function openSession(graph: Graph, options: SessionOptions = {}): Promise<Session> {
  if (!options.writesInto) return openBytes(writeModel(graph, { externalFrom }), options);
  return withoutCopies(await openBytes(writeModel(graph, { externalFrom, sequenceFirst }), options));
}

const sequenceFirst = "camkit/sequence";

/**
 * onnxruntime-node 1.30 copies every output into a new array, also one that it wrote into the caller's memory: 4 MB take 3 ms
 * more, most of it the system's work on fresh memory and the collection of garbage. It does so after the run, in the order of
 * the graph's outputs, and refuses what isn't a tensor. So the graph's first output is a sequence: asked for where all others
 * have their memory, it ends the call when everything is written and nothing copied. A runtime that takes sequences, too,
 * gives the same results, only later.
 */
function withoutCopies(session: Session): Session {
  const outputs = session.outputs.filter((name) => name !== sequenceFirst);
  const run: Session["run"] = async (feeds, fetches = outputs) => {
    if (isNames(fetches) || Object.values(fetches).includes(null)) return session.run(feeds, fetches);
    try {
      await session.run(feeds, { [sequenceFirst]: null, ...fetches });
    } catch (error) {
      if (!(error instanceof RuntimeFailure && error.message.includes("Non tensor type"))) throw error;
    }
    return fetches as Record<string, Tensor>;
  };
  return { ...session, outputs, run };
}

/** Compiles a written graph with its weights, or the file at a path untouched: the floor that everything is measured against. */
export async function openBytes(from: WrittenModel | string, options: SessionOptions = {}): Promise<Session> {
  const device = chooseDevice(options.device ?? "auto");
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: options.optimize ?? "all",
    logSeverityLevel: 3,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.plansMemory === undefined ? {} : { enableMemPattern: options.plansMemory }),
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
    ...(typeof from === "string" || from.externalData.length === 0 ? {} : { externalData: [...from.externalData] }),
    extra: { session: namedSettings(from, options) },
  };
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(
      typeof from === "string" ? from : (from.model as Uint8Array & string),
      settings,
    );
  } catch (cause) {
    if (device !== "cpu")
      throw new DeviceError(`the ${device} provider could not be opened: ${messageOf(cause)}`, {
        hint: "Run `camkit doctor`, or use --device cpu.",
        cause,
      });
    throw new RuntimeFailure(`ONNX Runtime refused the graph: ${messageOf(cause)}`, { cause });
  }
  return {
    device,
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: async (feeds, fetches) => {
      const given = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
      let results: InferenceSession.ReturnType;
      try {
        results = await (fetches ? session.run(given, toFetches(fetches)) : session.run(given));
      } catch (cause) {
        throw new RuntimeFailure(`ONNX Runtime failed in a run: ${messageOf(cause)}`, { cause });
      }
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    },
    close: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

/** Settings that the runtime knows by name only: where the weights' files lie, to map them from there; resting threads. */
function namedSettings(from: WrittenModel | string, { restBetweenRuns }: SessionOptions): Record<string, string> {
  const folder = typeof from === "string" ? undefined : from.folder;
  return {
    ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
    ...(restBetweenRuns ? { force_spinning_stop: "1" } : {}),
  };
}

/** Opens a session, hands it on and releases it whatever happens. */
export function withSession<T>(
  graph: Graph,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  return using(openSession(graph, options), use);
}

function toFetches(fetches: readonly string[] | Fetches): InferenceSession.FetchesType {
  if (isNames(fetches)) return fetches;
  return Object.fromEntries(Object.entries(fetches).map(([name, into]) => [name, into && toOrt(into)]));
}

function isNames(fetches: readonly string[] | Fetches): fetches is readonly string[] {
  return Array.isArray(fetches);
}

function toOrt(tensor: Tensor): OrtTensor {
  return new OrtTensor(tensor.dtype as OrtTensor.Type, tensor.data as OrtTensor.DataType, tensor.shape as number[]);
}

function fromOrt(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as Tensor["data"] };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
