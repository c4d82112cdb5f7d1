import { checkGraph } from "../graph/check.ts";
import { checkConstants } from "../graph/check-constants.ts";
import { checkLoops } from "../graph/check-loops.ts";
import { checkNodes } from "../graph/check-nodes.ts";
import { refuseLaidOut } from "../graph/fused/index.ts";
import type { Graph } from "../graph/graph.ts";
import { upgradeGraph } from "../graph/upgrade/index.ts";
import type { Manifest } from "./manifest.ts";
import { type ReadOptions, readModel } from "./read.ts";
import { type ByteSource, sourceOf } from "./source.ts";

/** The files a manifest comes from, and what in them was assumed, not understood or left out. */
export type ManifestSource = {
  readonly files: readonly string[];
  /** The one of them that says how pictures are prepared, where not all do. */
  readonly inputsFrom?: string;
  readonly notes: readonly string[];
};

/** An opened model: its graph in the form the engine works on, and what its manifest says. */
export type Model = {
  /** What messages and results call it: the file's name, or the manifest's. */
  readonly name: string;
  /** Opset 18 or later; names of values are the file's own. */
  readonly graph: Graph;
  /** The opset of the file. */
  readonly opset: number;
  readonly manifest: Manifest | undefined;
  /** Where the manifest was read; undefined for one that was given as data, or none. */
  readonly manifestFrom?: ManifestSource | undefined;
  /** Class labels, empty where none are known. */
  readonly labels: readonly string[];
  /** Size of the file and its external data, in bytes. */
  readonly bytes: number;
};

/** `describe`: says of the graph what the manifest is, and where that stands. */
export type OpenOptions = ReadOptions & {
  manifest?: Manifest | undefined;
  describe?: ((graph: Graph) => { manifest?: Manifest | undefined; from: ManifestSource }) | undefined;
};

/**
 * Opens a model from bytes in memory or from a source that is read piece by piece; neither may change afterwards, since
 * weights stay there. The graph and each of its nodes are checked, so that whatever works on it can take their form for granted.
 * Throws NotOnnxError, UnsupportedModelError; IllegalGraphError for a graph that breaks a rule of ONNX.
 */
export function openModel(from: Uint8Array | ByteSource, options: OpenOptions = {}): Model {
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
  checkGraph(graph);
  checkNodes(graph);
  refuseLaidOut(graph);
  upgradeGraph(graph);
  checkConstants(graph);
  checkLoops(graph);
  const described = options.describe?.(graph);
  const manifest = described?.manifest ?? options.manifest;
  return {
    name: manifest?.name ?? (options.name ?? "model").replace(/^.*[\\/]/, "").replace(/\.onnx$/i, ""),
    graph,
    opset,
    manifest,
    manifestFrom: described?.from,
    labels: manifest?.classes ?? [],
    bytes: source.size + [...external.values()].reduce((sum, data) => sum + data.size, 0),
  };
}
