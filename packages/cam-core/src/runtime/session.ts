import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { DeviceError, RuntimeFailure } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { onnxTypeName } from "../model/dtypes.ts";
import { type WrittenModel, writeModel } from "../model/write.ts";
import type { DType, Tensor } from "../tensor.ts";
import { memoryGuard } from "./memory.ts";
import { withoutOptimiserFaults } from "./optimiser-faults.ts";
import { profileFile } from "./profile.ts";
import { faultText, type ProviderFault, pinFaults, webGpuOptions } from "./provider-faults.ts";
import { candidates, deviceHint } from "./providers.ts";
import { type Device, type RanOn, ranOnOf } from "./ran-on.ts";
import { type Fetches, type Session, type SessionOptions, using } from "./runtime.ts";

/** Weights of at least this many bytes stay in the buffer they were read into; below it a copy is cheaper than a lookup. */
const externalFrom = 1024;

/**
 * Compiles a graph. Throws DeviceError when the device can't be had, RuntimeFailure when ONNX Runtime refuses the graph,
 * MemoryError when its values can't fit; so does a run, once it knows the sizes.
 */
export async function openSession(graph: Graph, options: SessionOptions = {}): Promise<Session> {
  const guard = memoryGuard(graph, options.memory);
  guard(); // the runtime computes what is constant while it compiles
  const writing = options.writesInto ? { externalFrom, sequenceFirst } : { externalFrom };
  const session = await onFirst(options.device, (opened) => {
    const { graph: given, pins } = pinFaults(graph, opened.device);
    const extra = withoutOptimiserFaults(given);
    return compile(writeModel(given, writing), options, { opened, pins, extra, written: graph.nodes.length });
  });
  return guarded(guard, options.writesInto ? withoutCopies(session) : session);
}

function guarded(guard: ReturnType<typeof memoryGuard>, session: Session): Session {
  const run: Session["run"] = async (feeds, fetches) => {
    guard(feeds);
    return session.run(feeds, fetches);
  };
  return { ...session, run };
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

/**
 * Compiles a written graph with its weights, or the file at a path untouched: the floor that everything is measured against.
 * Nothing is kept from anyone: what a provider or the optimiser gets wrong (`provider-faults.ts`, `optimiser-faults.ts`), it gets
 * wrong here.
 */
export function openBytes(from: WrittenModel | string, options: SessionOptions = {}): Promise<Session> {
  return onFirst(options.device, (opened) =>
    compile(from, options, { opened, pins: new Map(), extra: {}, written: undefined }),
  );
}

type Opened = Pick<RanOn, "requested" | "device" | "passedOver">;

/** Opens on the first device that can: the named one or none, `auto`'s in their order. */
async function onFirst(requested = "cpu", open: (opened: Opened) => Promise<Session>): Promise<Session> {
  const { devices, passedOver } = candidates(requested);
  const left = [...passedOver];
  for (const device of devices.slice(0, -1))
    try {
      return await open({ requested, device, passedOver: left });
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      left.push({ device, tried: true, why: error.message });
    }
  return open({ requested, device: devices.at(-1)!, passedOver: left });
}

type Compiling = {
  readonly opened: Opened;
  /** Nodes to keep on the CPU, by name. */
  readonly pins: ReadonlyMap<string, ProviderFault>;
  /** Further settings, by group. */
  readonly extra: Readonly<Record<string, Record<string, string>>>;
  /** How many nodes the graph has, where that is known. */
  readonly written: number | undefined;
};

async function compile(from: WrittenModel | string, options: SessionOptions, given: Compiling): Promise<Session> {
  const { opened, pins, extra, written } = given;
  const { device } = opened;
  // The CPU runs all of its graph; of another device the first run's profile tells.
  const profile = device === "cpu" || options.profile !== undefined ? undefined : profileFile();
  const prefix = options.profile ?? profile?.prefix;
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [device === "webgpu" ? webGpuOptions(pins) : device],
    graphOptimizationLevel: options.optimize ?? "all",
    logSeverityLevel: 3,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.plansMemory === undefined ? {} : { enableMemPattern: options.plansMemory }),
    ...(prefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: prefix }),
    ...(typeof from === "string" || from.externalData.length === 0 ? {} : { externalData: [...from.externalData] }),
    extra: { ...extra, session: namedSettings(from, options) },
  };
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(
      typeof from === "string" ? from : (from.model as Uint8Array & string),
      settings,
    );
  } catch (cause) {
    profile?.discard();
    if (device !== "cpu")
      throw new DeviceError(`the ${device} provider could not be opened: ${withoutPlace(messageOf(cause))}`, {
        hint: deviceHint(device),
        cause,
      });
    throw refusal(cause);
  }
  for (const output of session.outputMetadata)
    if (output.isTensor && /^u?int4$/.test(output.type)) {
      await session.release();
      profile?.discard();
      throw noTensor(`output "${output.name}"`, output.type);
    }
  const onCpu = device === "cpu" && written !== undefined ? { cpu: written } : undefined;
  let ranOn: RanOn = { ...opened, nodes: onCpu, copies: 0, onCpu: [] };
  const why = new Map([...pins].map(([name, fault]) => [name, faultText(fault)]));
  let profiling = prefix !== undefined;
  const endProfile = () => {
    if (!profiling) return;
    profiling = false;
    session.endProfiling();
    if (profile) ranOn = ranOnOf(opened, profile.read(), why);
    profile?.discard();
  };
  return {
    device,
    inputs: session.inputNames,
    outputs: session.outputNames,
    ranOn: () => ranOn,
    run: async (feeds, fetches) => {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
      let results: InferenceSession.ReturnType;
      try {
        results = await (fetches ? session.run(tensors, toFetches(fetches)) : session.run(tensors));
      } catch (cause) {
        throw runFailure(device, cause);
      } finally {
        if (profile) endProfile();
      }
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    },
    close: async () => {
      endProfile();
      await session.release();
    },
  };
}

function refusal(cause: unknown): RuntimeFailure {
  const message = messageOf(cause);
  const [, type] = /^Unsupported data type: (\d+)$/.exec(message) ?? [];
  if (type !== undefined) return noTensor("an input or output", onnxTypeName(Number(type)), cause);
  return new RuntimeFailure(`ONNX Runtime refused the graph: ${message}`, { cause });
}

/** onnxruntime-node (1.30) says so when it opens most of these; an output of 4 bits ends the process when it is fetched. */
function noTensor(what: string, type: string, cause?: unknown): RuntimeFailure {
  return new RuntimeFailure(`${what} holds ${type}, which onnxruntime-node has no tensor for`, {
    hint: "Inside a network such values may be; at its ends put a Cast to float32.",
    ...(cause === undefined ? {} : { cause }),
  });
}

function runFailure(device: Device, cause: unknown): DeviceError | RuntimeFailure {
  const message = messageOf(cause);
  if (/requires f16 but the device does not support it/.test(message))
    return new DeviceError(
      `${device}: the GPU or its driver has no half precision (shader-f16), which this model uses`,
      {
        hint: "Use --device cpu, or the model in float32.",
        cause,
      },
    );
  return new RuntimeFailure(`ONNX Runtime failed in a run: ${message}`, { cause });
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

/** ONNX Runtime's own words, without the line of its source and the condition that didn't hold. */
function withoutPlace(message: string): string {
  return message.replace(/^\/\S+\.(cc|h):\d+ .* was false\. /, "").trim();
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
