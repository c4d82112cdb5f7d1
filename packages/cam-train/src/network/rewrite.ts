import {
  Builder,
  checkGraph,
  copyGraph,
  type Graph,
  inferGraph,
  type Node,
  topological,
  usersOf,
  type Value,
} from "@camkit/cam-core";
import { renameValue } from "./rename.ts";

/**
 * A copy of a graph in which some nodes are written anew. `rewrite` answers with the values that take the place of a node's
 * outputs (new ones, or others that are there already), or with undefined for a node that stays. Values keep their names, so
 * that layers can still be asked for. The copy is checked, not pruned.
 */
export function rewriteGraph(
  graph: Graph,
  prefix: string,
  rewrite: (node: Node, op: Builder) => readonly Value[] | undefined,
): Graph {
  const copy = copyGraph(graph);
  const op = new Builder(copy, { facts: inferGraph(copy), prefix });
  copy.nodes = [];
  const users = usersOf(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  // A sub-graph that reads a name isn't rewritten: the name must stay.
  const fixed = (name: Value) => outputs.has(name) || users.get(name)?.some((user) => !user.inputs.includes(name));
  const instead = new Map<Value, Value>();
  const current = (name: Value) => instead.get(name) ?? name;
  for (const given of topological(graph)) {
    const node = given.inputs.some((name) => instead.has(name))
      ? { ...given, inputs: given.inputs.map(current) }
      : given;
    const start = copy.nodes.length;
    const made = rewrite(node, op);
    if (!made) copy.nodes.push(node);
    made?.forEach((value, i) => {
      const name = node.outputs[i] ?? "";
      if (name === "" || renameValue(op, value, name, start) === name) return;
      if (fixed(name)) op.alias(value, name);
      else instead.set(name, value);
    });
  }
  checkGraph(copy);
  return copy;
}
