import { IllegalGraphError } from "../errors.ts";
import { type Graph, readsOf, topological } from "./graph.ts";

/**
 * Whether a graph is one: every value made exactly once, every value that is read made, no cycle, every output made.
 * Run after each transformation. Throws IllegalGraphError that names the value and the node.
 */
export function checkGraph(graph: Graph): void {
  const made = new Map<string, string>();
  const make = (name: string, by: string) => {
    const earlier = made.get(name);
    if (earlier !== undefined) throw new IllegalGraphError(`"${name}" is made twice: by ${earlier} and by ${by}`);
    made.set(name, by);
  };
  for (const input of graph.inputs) make(input.name, "an input");
  for (const name of graph.initializers.keys()) make(name, "an initializer");
  for (const node of graph.nodes)
    for (const name of node.outputs) if (name !== "") make(name, `${node.opType} "${node.name}"`);
  for (const node of graph.nodes)
    for (const name of readsOf(node))
      if (!made.has(name))
        throw new IllegalGraphError(`${node.opType} "${node.name}" reads "${name}", which nothing makes`);
  for (const output of graph.outputs)
    if (!made.has(output.name)) throw new IllegalGraphError(`output "${output.name}" is made by nothing`);
  const ordered = topological(graph);
  if (!inOrder(graph, ordered)) throw new IllegalGraphError(`the nodes of "${graph.name}" form a cycle`);
}

function inOrder(graph: Graph, ordered: ReturnType<typeof topological>): boolean {
  const known = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
  for (const node of ordered) {
    if (!readsOf(node).every((name) => known.has(name))) return false;
    for (const name of node.outputs) known.add(name);
  }
  return ordered.length === graph.nodes.length;
}
