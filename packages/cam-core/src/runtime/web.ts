import { DeviceError, RuntimeFailure, UnknownNameError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { writeModel } from "../model/write.ts";
import type { DType, Tensor, TypedArray } from "../tensor.ts";
import { withoutOptimiserFaults } from "./optimiser-faults.ts";
import { type Pinned, pinFaults, webGpuOptions } from "./provider-faults.ts";
import type { Device, RanOn } from "./ran-on.ts";
import type { Fetches, OpenSession, Session, SessionOptions } from "./runtime.ts";

/** As much of onnxruntime-web as is used here. Any of its builds fits: `import * as ort from "onnxruntime-web"`. */
export type Ort = {
  readonly InferenceSession: { create(model: Uint8Array, options?: OrtOptions): Promise<OrtSession> };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
};

type Provider = { readonly name: string };

type OrtOptions = {
  executionProviders?: readonly Provider[];
  graphOptimizationLevel?: NonNullable<SessionOptions["optimize"]>;
  logSeverityLevel?: 3;
  enableMemPattern?: boolean;
  externalData?: readonly { path: string; data: Uint8Array }[];
  extra?: Record<string, Record<string, string>>;
};

type OrtSession = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, never>, fetches: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
  release(): Promise<void>;
};

type OrtTensor = { readonly type: string; readonly dims: readonly number[]; readonly data: unknown };

/** Weights of at least this many bytes are copied from the model's own buffer, not once more by way of the written graph. */
const externalFrom = 1024;

/** onnxruntime-web's provider for each device, with the nodes that it would get wrong. */
const providers: Partial<Record<Device, (pins: Pinned["pins"]) => Provider>> = {
  cpu: () => ({ name: "wasm" }),
  webgpu: webGpuOptions,
};

/** What the options of a session that a page can't have stand for there. */
const elsewhere = {
  threads: "Set ort.env.wasm.numThreads before the first session: it holds for all of them.",
  profile: "Set ort.env.trace, or record a profile with the browser's own tools.",
  restBetweenRuns: "Threads in a page rest between runs anyhow.",
  writesInto: "WebAssembly has a memory of its own: what a run puts out is copied from there.",
} satisfies Partial<Record<keyof SessionOptions, string>>;

/**
 * ONNX Runtime in a page, as the runtime of all that asks for one: `createExplainer(onOrt(ort), model)`. The module is the caller's,
 * with its settings: where the WebAssembly lies, how many threads. `auto` is the CPU; `webgpu` needs a build that has it.
 * Runs of one module take turns: it can't do two at once.
 *
 * What it opens throws DeviceError when there is no such device in this page or an option has no meaning there, RuntimeFailure.
 */
export function onOrt(ort: Ort): OpenSession {
  return async (graph, options = {}) => {
    const device = deviceFor(options);
    const { graph: given, pins } = pinFaults(graph, device);
    const { model, externalData } = writeModel(given, { externalFrom });
    const session = await inTurn(ort, () =>
      ort.InferenceSession.create(model, {
        executionProviders: [providers[device]!(pins)],
        graphOptimizationLevel: options.optimize ?? "all",
        logSeverityLevel: 3,
        extra: withoutOptimiserFaults(given),
        ...(options.plansMemory === undefined ? {} : { enableMemPattern: options.plansMemory }),
        ...(externalData.length === 0 ? {} : { externalData }),
      }),
    ).catch((cause) => {
      if (device !== "cpu")
        throw new DeviceError(`the ${device} provider could not be opened: ${messageOf(cause)}`, {
          hint: `It needs a browser with WebGPU and the build onnxruntime-web/${device}.`,
          cause,
        });
      throw new RuntimeFailure(`ONNX Runtime refused the graph: ${messageOf(cause)}`, { cause });
    });
    return opened(ort, session, ranOn(options.device, device, graph));
  };
}

/** A page tells nothing of where nodes ran; on the CPU alone it is clear. */
function ranOn(requested = "cpu", device: Device, graph: Graph): RanOn {
  const passedOver =
    requested === "auto" ? [{ device: "webgpu" as const, tried: false, why: "a page has to ask for it by name" }] : [];
  const nodes = device === "cpu" ? { cpu: graph.nodes.length } : undefined;
  return { requested, device, passedOver, nodes, copies: 0, onCpu: [] };
}

function opened(ort: Ort, session: OrtSession, placed: RanOn): Session {
  return {
    device: placed.device,
    ranOn: () => placed,
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: async (feeds, fetches = session.outputNames) => {
      const names = Array.isArray(fetches) ? (fetches as readonly string[]) : Object.keys(fetches);
      const results = await inTurn(ort, () => {
        const given = Object.entries(feeds).map(([name, tensor]) => [name, toOrt(ort, tensor)]);
        return session.run(Object.fromEntries(given), names);
      }).catch((cause) => {
        throw new RuntimeFailure(`ONNX Runtime failed in a run: ${messageOf(cause)}`, { cause });
      });
      const into = (name: string) => (Array.isArray(fetches) ? null : (fetches as Fetches)[name]);
      return Object.fromEntries(
        names.map((name) => [name, written(fromOrt(results[name] as OrtTensor), into(name) ?? null)]),
      );
    },
    close: () => inTurn(ort, () => session.release()),
  };
}

function deviceFor(options: SessionOptions): Device {
  for (const [name, instead] of Object.entries(elsewhere))
    if (options[name as keyof typeof elsewhere])
      throw new DeviceError(`the option "${name}" has no meaning in a page`, { hint: instead });
  const asked = options.device ?? "cpu";
  const device = asked === "auto" ? "cpu" : (asked as Device);
  if (providers[device] === undefined) throw new UnknownNameError("device", asked, ["auto", ...Object.keys(providers)]);
  return device;
}

/** What waits for what, per module. */
const queues = new WeakMap<Ort["InferenceSession"], Promise<unknown>>();

function inTurn<T>(ort: Ort, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(ort.InferenceSession) ?? Promise.resolve()).then(work);
  queues.set(
    ort.InferenceSession,
    turn.catch(() => undefined),
  );
  return turn;
}

function toOrt(ort: Ort, { dtype, data, shape }: Tensor): OrtTensor {
  return new ort.Tensor(dtype as "float32", data as Float32Array, shape);
}

/** Newer browsers have a Float16Array; ours hold the bit patterns. */
function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  const array = data as TypedArray;
  const isHalf = type === "float16" && !(array instanceof Uint16Array);
  const bits = isHalf ? new Uint16Array(array.buffer as ArrayBuffer, array.byteOffset, array.length) : array;
  return { dtype: type as DType, shape: dims, data: bits };
}

/** A tensor, or the one that the caller has for it, filled. */
function written(tensor: Tensor, into: Tensor | null): Tensor {
  if (into === null) return tensor;
  (into.data as Float32Array).set(tensor.data as Float32Array);
  return into;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
