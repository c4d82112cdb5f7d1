import type { Builder, Value } from "../builder.ts";
import type { Node } from "../graph.ts";

/** The node with something changed and the rest as it is, attributes that the builder doesn't know included. */
export function renewed(
  node: Node,
  op: Builder,
  changes: Partial<Pick<Node, "opType" | "inputs" | "attributes">>,
): Value[] {
  const next = { ...node, ...changes };
  return op.append({ ...next, outputs: node.outputs.map((name) => (name === "" ? "" : op.fresh(next.opType))) });
}
