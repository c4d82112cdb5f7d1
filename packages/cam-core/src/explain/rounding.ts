import type { Builder, Value } from "../graph/builder.ts";
import { producersOf } from "../graph/graph.ts";
import type { Seeded } from "../targets/seed.ts";

/** What may stand between a rounding and the scores without changing the order of elements. */
const layout: ReadonlySet<string> = new Set(["Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze"]);

/**
 * Where a target's gradient begins, as cotangents for `gradient`: at its scores, or before they were quantised. Calibration ends
 * the range of the scores at the largest that it saw, so a sure network saturates there, and a gradient that is taken behind that
 * is zero everywhere: the same reason for which it isn't taken behind a softmax. Nor does the runtime keep its integer
 * kernels for a last layer whose real numbers somebody reads.
 */
export function rootsOf(op: Builder, { value, seed }: Pick<Seeded, "value" | "seed">): ReadonlyMap<Value, Value> {
  const producers = producersOf(op.graph);
  let root = value;
  for (let at = value, node = producers.get(at); node?.domain === ""; node = producers.get(at)) {
    if (!layout.has(node.opType) && !/^(Q|Deq)uantizeLinear$/.test(node.opType)) break;
    at = node.inputs[0]!;
    if (node.opType === "QuantizeLinear") root = at;
  }
  return new Map([[root, root === value ? seed : op.reshapeLike(op.cast(seed, op.dtype(root)), root)]]);
}
