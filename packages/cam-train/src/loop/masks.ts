import { sizeOf, type Tensor } from "@camkit/cam-core";
import type { Mask } from "../network/training-form.ts";
import { keyed } from "../random.ts";

/** What dropouts multiply by at one step: the same for equal seeds and steps, whatever ran before. */
export function drawMasks(masks: readonly Mask[], seed: number, step: number): Record<string, Tensor> {
  return Object.fromEntries(
    masks.map(({ input, shape, ratio }) => {
      const draw = keyed(seed, "dropout", input, step);
      const kept = 1 / (1 - ratio);
      const data = new Float32Array(sizeOf(shape));
      for (let i = 0; i < data.length; i++) data[i] = draw.unit() < ratio ? 0 : kept;
      return [input, { dtype: "float32", shape, data }];
    }),
  );
}
