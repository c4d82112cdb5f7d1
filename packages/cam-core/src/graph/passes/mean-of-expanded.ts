import type { Builder } from "../builder.ts";
import { sameDim } from "../dims.ts";
import { type Node, numberAttribute, producersOf } from "../graph.ts";

/**
 * The mean over axes along which a value was only repeated is the value:
 *
 *   ReduceMean(Expand(x), axes) = x       where x has size 1 along `axes` and the full size along the others
 *
 * Behind global average pooling every position has the same gradient, and Grad-CAM asks for its mean.
 */
export function meanOfExpanded(op: Builder): void {
  const producers = producersOf(op.graph);
  op.graph.nodes = op.graph.nodes.map((node) => {
    const source = node.opType === "ReduceMean" ? repeated(op, node, producers) : undefined;
    return source === undefined ? node : { ...node, opType: "Identity", inputs: [source], attributes: {} };
  });
}

function repeated(op: Builder, node: Node, producers: ReadonlyMap<string, Node>): string | undefined {
  const expand = producers.get(node.inputs[0]!);
  if (expand?.opType !== "Expand" || numberAttribute(node, "keepdims", 1) !== 1) return undefined;
  const [from, to] = [op.dims(expand.inputs[0]!), op.dims(expand.outputs[0]!)];
  const axes = op.integers(node.inputs[1] ?? "")?.map((axis) => (axis < 0 ? axis + (to?.length ?? 0) : axis));
  const whole =
    from?.length === to?.length && from?.every((dim, i) => (axes?.includes(i) ? dim === 1 : sameDim(dim, to?.[i])));
  return axes && whole ? expand.inputs[0] : undefined;
}
