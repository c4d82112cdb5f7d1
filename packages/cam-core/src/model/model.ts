import type { Graph } from "../graph/graph.ts";
import { upgradeGraph } from "../graph/upgrade/index.ts";
import type { Manifest } from "./manifest.ts";
import { type ReadOptions, readModel } from "./read.ts";

/** An opened model: its graph in the form the engine works on, and what its manifest says. */
export type Model = {
  /** What messages and results call it: the file's name, or the manifest's. */
  readonly name: string;
  /** Opset 18 or later; names of values are the file's own. */
  readonly graph: Graph;
  /** The opset of the file. */
  readonly opset: number;
  readonly manifest: Manifest | undefined;
  /** Class labels, empty where none are known. */
  readonly labels: readonly string[];
  /** Size of the file and its external data, in bytes. */
  readonly bytes: number;
};

/**
 * Opens a model from its bytes, which must not change afterwards: weights are views on them. Throws NotOnnxError,
 * UnsupportedModelError.
 */
export function openModel(
  bytes: Uint8Array,
  options: ReadOptions & { name?: string; manifest?: Manifest | undefined } = {},
): Model {
  let external = 0;
  const graph = readModel(bytes, {
    ...options,
    ...(options.externalData && {
      externalData: (location: string) => {
        const data = options.externalData!(location);
        external += data.byteLength;
        return data;
      },
    }),
  });
  const opset = graph.opsets.get("") ?? 1;
  upgradeGraph(graph);
  const { manifest } = options;
  return {
    name: manifest?.name ?? options.name ?? "model",
    graph,
    opset,
    manifest,
    labels: manifest?.classes ?? [],
    bytes: bytes.byteLength + external,
  };
}
