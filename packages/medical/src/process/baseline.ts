import type { Tensor } from "@camkit/cam-core/data";
import type { MedicalManifest } from "../networks/index.ts";

/** What stands where a scan was removed: aerated lung, the one tissue that says nothing of a lesion, in the network's own values. */
const lungHu = -850;

export type Baseline = { readonly value: number; readonly words: string };

export function lungBaseline(preprocess: NonNullable<MedicalManifest["preprocess"]>): Baseline {
  const words = `aerated lung, ${lungHu} HU`.replace("-", "−");
  if (preprocess.kind === "lung-ct") return { value: scaled(lungHu, preprocess.windowHu, [0, 1]), words };
  const { intensity } = preprocess;
  if (intensity.kind === "window") return { value: scaled(lungHu, intensity.windowHu, intensity.range), words };
  const [low, high] = intensity.clipHu;
  return { value: (Math.min(high, Math.max(low, lungHu)) - intensity.meanHu) / intensity.stdHu, words };
}

function scaled(hu: number, [low, high]: readonly number[], [from, to]: readonly number[]): number {
  const share = Math.min(1, Math.max(0, (hu - low!) / (high! - low!)));
  return from! + share * (to! - from!);
}

/** A radiograph's own mean: there is no grey that means nothing. */
export function meanBaseline({ data }: Tensor): Baseline {
  let sum = 0;
  for (const value of data as Float32Array) sum += value;
  return { value: sum / data.length, words: "the picture's mean" };
}
