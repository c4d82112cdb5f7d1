import type { Builder, Value } from "@camkit/cam-core";

/**
 * Calls a value by another name: its producer among the nodes from `start` on, and whoever reads it there. Nodes are
 * replaced, never changed. Returns the name that the value has now: its own where no such node makes it.
 */
export function renameValue(op: Builder, value: Value, name: Value, start = 0): Value {
  const { nodes } = op.graph;
  const at = nodes.findIndex((node, i) => i >= start && node.outputs.includes(value));
  if (at < 0 || value === name) return value;
  const swap = (names: readonly Value[]) => names.map((given) => (given === value ? name : given));
  for (let i = at; i < nodes.length; i++) {
    const node = nodes[i]!;
    if (i === at) nodes[i] = { ...node, name, inputs: swap(node.inputs), outputs: swap(node.outputs) };
    else if (node.inputs.includes(value)) nodes[i] = { ...node, inputs: swap(node.inputs) };
  }
  op.facts.types.set(name, op.facts.types.get(value)!);
  return name;
}
