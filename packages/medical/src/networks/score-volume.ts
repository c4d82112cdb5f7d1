import { AbortedError, type Model } from "@camkit/cam-core";
import type { Tensor } from "@camkit/cam-core/data";
import type { Vec3 } from "../volume/geometry.ts";
import type { VolumeOptions } from "./explain-volume.ts";
import { windowSizeOf } from "./explain-volume.ts";
import { openForward } from "./forward.ts";
import { windowOf } from "./stitch.ts";
import { windowStarts } from "./windows.ts";

/** A 3-D classifier without maps: one session for any number of volumes. Close it when done. */
export type VolumeScorer = {
  /** Class scores [C] of a volume [1, C, D, H, W], the windows' mean: those of `explainVolume`. Throws AbortedError. */
  score(volume: Tensor): Promise<Float32Array>;
  close(): Promise<void>;
};

export async function openVolumeScorer(
  model: Model,
  { window, device, threads, signal }: Omit<VolumeOptions, "method" | "layers" | "classIndex"> = {},
): Promise<VolumeScorer> {
  const { session, input, logits } = await openForward(model, {
    device,
    threads,
  });
  return {
    score: async (volume) => {
      const shape = volume.shape.slice(2) as unknown as Vec3;
      const { size, overlap } = window ?? { size: windowSizeOf(model, shape), overlap: 0.25 };
      const starts = windowStarts(shape, { size, overlap });
      let mean: Float32Array | undefined;
      for (const start of starts) {
        if (signal?.aborted) throw new AbortedError();
        const scores = (await session.run({ [input]: windowOf(volume, start, size) }))[logits]!.data as Float32Array;
        mean ??= new Float32Array(scores.length);
        for (let i = 0; i < mean.length; i++) mean[i]! += scores[i]! / starts.length;
      }
      return mean!;
    },
    close: () => session.close(),
  };
}
