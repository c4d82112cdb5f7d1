import { MemoryError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { leastMemory } from "../graph/memory.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Refuses what can't fit before the runtime tries: memory that a system hands out freely and then doesn't have ends the whole
 * process. `limit`: bytes; default: what is free when it is asked. Without feeds every open size counts as 1.
 *
 * The answer throws MemoryError.
 */
export function memoryGuard(graph: Graph, limit?: number): (feeds?: Readonly<Record<string, Tensor>>) => void {
  const needed = leastMemory(graph);
  let passed: string | undefined;
  return (feeds = {}) => {
    const sizes = sizesOf(graph, feeds);
    const key = [...sizes.values()].join(",");
    if (key === passed) return;
    const [least, most] = [needed(sizes), limit ?? process.availableMemory()];
    if (least > most) throw new MemoryError(least, most);
    passed = key;
  };
}

/** What the inputs' symbols are in these feeds. */
function sizesOf(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of graph.inputs)
    shape?.forEach((dim, axis) => {
      const size = feeds[name]?.shape[axis];
      if (typeof dim === "string" && size !== undefined) sizes.set(dim, size);
    });
  return sizes;
}
