import { refuseLaidOut } from "../graph/fused/index.ts";
import type { Graph } from "../graph/graph.ts";
import { upgradeGraph } from "../graph/upgrade/index.ts";
import type { Manifest } from "./manifest.ts";
import { type ReadOptions, readModel } from "./read.ts";
import { type ByteSource, sourceOf } from "./source.ts";

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
 * Opens a model from bytes in memory or from a source that is read piece by piece; neither may change afterwards, since
 * weights stay there. Throws NotOnnxError, UnsupportedModelError.
 */
export function openModel(
  from: Uint8Array | ByteSource,
  options: ReadOptions & { manifest?: Manifest | undefined } = {},
): Model {
  const source = from instanceof Uint8Array ? sourceOf(from) : from;
  const external = new Map<string, ByteSource>();
  const graph = readModel(source, {
    ...options,
    ...(options.externalData && {
      externalData: (location: string) => {
        const data = external.get(location) ?? options.externalData!(location);
        external.set(location, data);
        return data;
      },
    }),
  });
  const opset = graph.opsets.get("") ?? 1;
  refuseLaidOut(graph);
  upgradeGraph(graph);
  const { manifest } = options;
  return {
    name: manifest?.name ?? (options.name ?? "model").replace(/^.*[\\/]/, "").replace(/\.onnx$/i, ""),
    graph,
    opset,
    manifest,
    labels: manifest?.classes ?? [],
    bytes: source.size + [...external.values()].reduce((sum, data) => sum + data.size, 0),
  };
}
