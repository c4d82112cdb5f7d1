import { listSupportedBackends } from "onnxruntime-node";
import { DeviceError, UnknownNameError } from "../errors.ts";

/** Where a graph runs, by the names that ONNX Runtime gives its execution providers. */
export type Device = "cpu" | "cuda" | "tensorrt" | "webgpu" | "dml" | "coreml";

type Provider = {
  /** ONNX Runtime's name of the execution provider. */
  readonly provider: string;
  /** What the machine needs, for the message when it isn't there. */
  readonly needs: string;
};

const providers: Readonly<Record<Device, Provider>> = {
  cpu: { provider: "cpu", needs: "nothing" },
  cuda: { provider: "cuda", needs: "an NVIDIA GPU, its driver, CUDA 12 and onnxruntime's GPU libraries (Linux x64)" },
  tensorrt: { provider: "tensorrt", needs: "an NVIDIA GPU, TensorRT and onnxruntime's GPU libraries (Linux x64)" },
  webgpu: { provider: "webgpu", needs: "a GPU with a Vulkan, Metal or Direct3D 12 driver" },
  dml: { provider: "dml", needs: "Windows with a Direct3D 12 GPU" },
  coreml: { provider: "coreml", needs: "macOS" },
};

/** Every device name, present on this machine or not. */
export const deviceNames: readonly Device[] = Object.keys(providers) as Device[];

/** Devices that this build of ONNX Runtime has a provider for. A driver may still be missing: opening a session tells. */
export function availableDevices(): Device[] {
  const built = new Set(listSupportedBackends().map((backend) => backend.name));
  return deviceNames.filter((device) => built.has(providers[device].provider));
}

/** What a device needs, for people. */
export function deviceNeeds(device: Device): string {
  return providers[device].needs;
}

/**
 * The device to use for a request: `auto` is the CPU, the one that is always right. Throws UnknownNameError for a name that
 * is no device, DeviceError for one that this build has no provider for: ONNX Runtime itself would fall back in silence.
 */
export function chooseDevice(requested: string): Device {
  const device = requested === "auto" ? "cpu" : (requested as Device);
  if (!deviceNames.includes(device)) throw new UnknownNameError("device", requested, ["auto", ...deviceNames]);
  if (!availableDevices().includes(device))
    throw new DeviceError(`no ${device} provider in this build of ONNX Runtime`, {
      hint: `${device} needs ${deviceNeeds(device)}. Here: ${availableDevices().join(", ")}. Run \`camkit doctor\`.`,
    });
  return device;
}
