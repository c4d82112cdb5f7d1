import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { listSupportedBackends } from "onnxruntime-node";
import { DeviceError, UnknownNameError } from "../errors.ts";
import type { Device, PassedOver } from "./ran-on.ts";

type Provider = {
  /** ONNX Runtime's name of the execution provider in what it says about runs. */
  readonly ranAs: string;
  /** What the machine needs, for the message when it isn't there. */
  readonly needs: string;
  /** Why `auto` never chooses it. */
  readonly notByItself?: string;
  /** A library of ONNX Runtime's that isn't in the package. */
  readonly library?: string;
};

const gpuLibraries = "onnxruntime's GPU libraries (Linux x64: see docs/gpu.md)";

const providers: Readonly<Record<Device, Provider>> = {
  cpu: { ranAs: "CPUExecutionProvider", needs: "nothing" },
  cuda: {
    ranAs: "CUDAExecutionProvider",
    needs: `an NVIDIA GPU, its driver, CUDA 12, cuDNN 9 and ${gpuLibraries}`,
    library: "libonnxruntime_providers_cuda.so",
  },
  tensorrt: {
    ranAs: "TensorrtExecutionProvider",
    needs: `an NVIDIA GPU, TensorRT 10 and ${gpuLibraries}`,
    notByItself: "it builds an engine for minutes before the first run",
    library: "libonnxruntime_providers_tensorrt.so",
  },
  webgpu: {
    ranAs: "WebGpuExecutionProvider",
    needs: "a GPU with a Vulkan driver and its loader (libvulkan.so.1), Metal or Direct3D 12",
    notByItself:
      "ONNX Runtime doesn't say whether a GPU or a program that acts as one is behind it, and compiles for seconds before the first run",
  },
  dml: {
    ranAs: "DmlExecutionProvider",
    needs: "Windows with a Direct3D 12 GPU",
    notByItself: "its results haven't been compared with the CPU's",
  },
  coreml: {
    ranAs: "CoreMLExecutionProvider",
    needs: "macOS",
    notByItself: "it may compute in half precision",
  },
};

/** Every device name, present on this machine or not. */
export const deviceNames: readonly Device[] = Object.keys(providers) as Device[];

/** What `auto` tries, in this order: the first that opens runs. */
export const autoOrder: readonly Device[] = ["cuda", "cpu"];

/** Devices that this build of ONNX Runtime has a provider for. A driver may still be missing: opening a session tells. */
export function availableDevices(): Device[] {
  const built = new Set(listSupportedBackends().map((backend) => backend.name));
  return deviceNames.filter((device) => built.has(device));
}

/** What a device needs, for people. */
export function deviceNeeds(device: Device): string {
  return providers[device].needs;
}

/** What to do about a device that can't be had. */
export function deviceHint(device: Device): string {
  return `${device} needs ${deviceNeeds(device)}. Run \`camkit doctor\`, or use --device cpu.`;
}

/** Why `auto` leaves a device aside wherever it is; undefined for one that it tries. */
export function notByItself(device: Device): string | undefined {
  return providers[device].notByItself;
}

/** The device that ONNX Runtime means by a provider's name in a profile. */
export function deviceOf(provider: string): Device | undefined {
  return deviceNames.find((device) => providers[device].ranAs === provider);
}

/** Devices to try in turn, and those that are left aside without a trial. */
export type Candidates = { readonly devices: readonly Device[]; readonly passedOver: readonly PassedOver[] };

/**
 * The devices for a request: the named one alone, or `auto`'s. Throws UnknownNameError for a name that is no device, DeviceError
 * for one that isn't in this build: ONNX Runtime itself would fall back in silence.
 */
export function candidates(requested: string): Candidates {
  if (requested === "auto") return automatic();
  const device = requested as Device;
  if (!deviceNames.includes(device)) throw new UnknownNameError("device", requested, ["auto", ...deviceNames]);
  const missing = deviceAbsence(device);
  if (missing !== undefined) throw new DeviceError(missing, { hint: deviceHint(device) });
  return { devices: [device], passedOver: [] };
}

function automatic(): Candidates {
  const passedOver: PassedOver[] = [];
  const devices: Device[] = [];
  for (const device of [...autoOrder, ...availableDevices().filter((name) => !autoOrder.includes(name))]) {
    const why = deviceAbsence(device) ?? providers[device].notByItself;
    if (why === undefined) devices.push(device);
    else if (availableDevices().includes(device)) passedOver.push({ device, tried: false, why });
  }
  return { devices, passedOver };
}

/** Why a device can't be opened here, as far as that shows without a trial; undefined where only opening tells. */
export function deviceAbsence(device: Device): string | undefined {
  if (!availableDevices().includes(device)) return `no ${device} provider in this build of ONNX Runtime`;
  const { library } = providers[device];
  // Without this ONNX Runtime would say so itself, in red, on stderr.
  if (library !== undefined && !existsSync(join(nativeFolder(), library)))
    return `ONNX Runtime's library ${library} isn't installed`;
  return undefined;
}

/** Where onnxruntime-node keeps its native libraries. */
function nativeFolder(): string {
  const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
}
