import { narrowFeeds } from "../explain/narrow-feeds.ts";
import type { ValueInfo } from "../graph/graph.ts";
import { byteLengthOf, sizeOf, type Tensor, viewBytes } from "../tensor.ts";
import { rng } from "../testing/rng.ts";

/**
 * Something to run a model on: normal values for every float input, zeros for the others. Open dimensions are as `sizes` has them
 * by name; else 1 for the batch, 3 for channels and 224 for space.
 */
export function randomFeeds(
  inputs: readonly ValueInfo[],
  sizes: Readonly<Record<string, number>> = {},
): Record<string, Tensor> {
  const random = rng(1);
  const feeds = inputs.map((input): [string, Tensor] => {
    const shape = (input.shape ?? []).map((dim, axis) => {
      if (typeof dim === "number") return dim;
      return (dim === null ? undefined : sizes[dim]) ?? (axis === 0 ? 1 : axis === 1 ? 3 : 224);
    });
    const { dtype } = input;
    if (dtype === "float32" || dtype === "float16") return [input.name, random.normal(shape)];
    if (dtype === "string")
      return [input.name, { dtype, shape, data: Array.from({ length: sizeOf(shape) }, () => "") }];
    const zeros = new Uint8Array(byteLengthOf(dtype, sizeOf(shape)));
    return [input.name, { dtype, shape, data: viewBytes(dtype, zeros) }];
  });
  return narrowFeeds(inputs, Object.fromEntries(feeds));
}
