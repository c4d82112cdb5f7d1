import type { Graph } from "../../graph/graph.ts";

/** Real inputs that are sizes, bounds or settings; rules want them as constants, as they are in files. */
const settings: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2],
  Range: [0, 1, 2],
  OneHot: [0, 1],
  NonMaxSuppression: [3, 4],
  MelWeightMatrix: [3, 4],
  Dropout: [1],
};

/** The values of a graph that are such settings. */
export function settingsOf(graph: Graph): ReadonlySet<string> {
  return new Set(graph.nodes.flatMap(({ opType, inputs }) => (settings[opType] ?? []).map((i) => inputs[i] ?? "")));
}
