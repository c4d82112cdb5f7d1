import { type Graph, producersOf, readsOf, topological } from "../graph.ts";

/** Drops nodes, initializers and type facts that no output needs, and puts the rest in topological order. */
export function pruneUnused(graph: Graph): void {
  const producers = producersOf(graph);
  const needed = new Set(graph.outputs.map((output) => output.name));
  const queue = [...needed];
  const kept = new Set<object>();
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const node = producers.get(name);
    if (!node || kept.has(node)) continue;
    kept.add(node);
    for (const read of readsOf(node)) {
      needed.add(read);
      queue.push(read);
    }
  }
  graph.nodes = topological(graph).filter((node) => kept.has(node));
  for (const name of graph.initializers.keys()) if (!needed.has(name)) graph.initializers.delete(name);
}
