import type { Graph } from "../graph/graph.ts";
import { pruneUnused } from "../graph/passes/prune-unused.ts";

/** What an export adds to a model's interface, as the file's metadata says it: how a reader knows what is not the model's own. */
type Added = {
  readonly raw: readonly string[];
  readonly map: string;
  readonly target: string | undefined;
  readonly layers: readonly string[];
  readonly extra: ReadonlyMap<string, string> | undefined;
};

const outputsKey = "camkit.outputs";
const targetKey = "camkit.target_input";
const layersKey = "camkit.layers";

/** The model's metadata with what an export says of itself. What an earlier export said is gone. */
export function mark(
  metadata: ReadonlyMap<string, string>,
  { raw, map, target, layers, extra }: Added,
): Map<string, string> {
  const own = [...metadata].filter(([key]) => !key.startsWith("camkit."));
  const added: [string, string][] = [
    [outputsKey, JSON.stringify([...raw, map])],
    [layersKey, JSON.stringify(layers)],
  ];
  if (target !== undefined) added.push([targetKey, target]);
  return new Map([...own, ...added, ...(extra ?? [])]);
}

/** The input of an exported graph that chooses the class; undefined where the target is fixed, or for any other graph. */
export function targetInputOf(graph: Graph): string | undefined {
  return graph.metadata.get(targetKey);
}

/** The layers that an exported graph's maps are made at. */
export function explainedLayers(graph: Graph): readonly string[] {
  return namesIn(graph.metadata.get(layersKey));
}

/** Takes an earlier export's explanation away, so that an explained model is explained like the one it came from. */
export function withoutExplanation(graph: Graph): Graph {
  const outputs = namesIn(graph.metadata.get(outputsKey));
  const target = graph.metadata.get(targetKey);
  if (outputs.length === 0) return graph;
  graph.outputs = graph.outputs.filter((output) => !outputs.includes(output.name));
  graph.inputs = graph.inputs.filter((input) => input.name !== target);
  pruneUnused(graph);
  for (const key of graph.metadata.keys()) if (key.startsWith("camkit.")) graph.metadata.delete(key);
  return graph;
}

/** Metadata is what anybody wrote there: what isn't a list of names says nothing. */
function namesIn(text: string | undefined): readonly string[] {
  try {
    const names: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
