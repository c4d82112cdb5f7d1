import { IllegalGraphError } from "../errors.ts";
import { viewBytes } from "../tensor.ts";
import { type Graph, type Node, producersOf, readsOf } from "./graph.ts";

/** More rounds than any network makes, and few enough to be waited for. */
const mostRounds = 1e6;

/**
 * Whether every Loop comes to an end: a run can't be interrupted. One whose condition looks at nothing that changes from round to
 * round runs as often as its trip count says. Where the condition looks at the loop's state, nothing can be said and it passes.
 * Throws IllegalGraphError for more than a million rounds.
 */
export function checkLoops(graph: Graph): void {
  for (const node of graph.nodes)
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.type !== "graph") continue;
      if (node.opType === "Loop" && node.domain === "" && !canEnd(attribute.value)) checkRounds(node, graph);
      checkLoops(attribute.value);
    }
}

function checkRounds(node: Node, graph: Graph): void {
  const trips = tripCount(node.inputs[0] ?? "", graph);
  if (trips !== undefined && trips > mostRounds)
    throw new IllegalGraphError(
      `Loop "${node.name}" runs ${trips === Number.POSITIVE_INFINITY ? "for ever" : `${trips} times`}, whatever happens in it`,
      { hint: "Its condition doesn't depend on anything that the loop computes: the file is damaged." },
    );
}

/** How often a loop runs at most; undefined where that is computed. */
function tripCount(name: string, graph: Graph): number | undefined {
  if (name === "") return Number.POSITIVE_INFINITY;
  const constant = graph.initializers.get(name);
  return constant?.dtype === "int64" ? Number(viewBytes("int64", constant.bytes)[0]) : undefined;
}

/** Whether the next condition is computed from the iteration's number or from what the loop carries along. */
function canEnd(body: Graph): boolean {
  const changing = new Set(body.inputs.filter((_, i) => i !== 1).map((input) => input.name));
  const producers = producersOf(body);
  const queue = body.outputs.slice(0, 1).map((output) => output.name);
  const seen = new Set(queue);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (changing.has(name)) return true;
    const producer = producers.get(name);
    for (const read of producer ? readsOf(producer) : [])
      if (!seen.has(read)) {
        seen.add(read);
        queue.push(read);
      }
  }
  return false;
}
