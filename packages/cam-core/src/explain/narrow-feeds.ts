import type { ValueInfo } from "../graph/graph.ts";
import { type Tensor, toHalf } from "../tensor.ts";

/** Feeds by name, with float32 tensors rounded where the model wants half precision. */
export function narrowFeeds(
  inputs: readonly ValueInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const half = new Set(inputs.flatMap((input) => (input.dtype === "float16" ? [input.name] : [])));
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [
      name,
      half.has(name) && tensor.dtype === "float32" ? toHalf(tensor) : tensor,
    ]),
  );
}
