import type { Builder, Value } from "./builder.ts";
import { type Graph, readsOf } from "./graph.ts";

/**
 * Gives the values that replace a node's outputs those outputs' own names: the node that makes one is renamed, or, where
 * others read it already, gets an Identity behind it.
 */
export function renameOutputs(
  graph: Graph,
  op: Builder,
  from: readonly (Value | undefined)[],
  to: readonly Value[],
): void {
  to.forEach((name, i) => {
    if (name === "" || from[i] === undefined) return;
    const type = op.facts.types.get(from[i]);
    if (type) op.facts.types.set(name, type);
    const producer = graph.nodes.findLast((node) => node.outputs.includes(from[i]!));
    if (producer && !graph.nodes.some((node) => readsOf(node).includes(from[i]!))) {
      const at = graph.nodes.lastIndexOf(producer);
      graph.nodes[at] = {
        ...producer,
        outputs: producer.outputs.map((output) => (output === from[i] ? name : output)),
      };
    } else op.alias(from[i], name);
  });
}
