import {
  Builder,
  between,
  CamError,
  candidateLayers,
  copyGraph,
  defaultLayers,
  type Graph,
  groundwork,
  InputError,
  type Layer,
  type Manifest,
  ManifestError,
  type ManifestSource,
  type ModelFile,
  type Preprocessing,
  preprocessingOf,
  refusalOf,
  ruleName,
  type Support,
  supportOf,
  topological,
} from "@camkit/cam-core";
import { type ErrorDocument, errorDocument } from "../errors.ts";
import { mainInput } from "../model.ts";

type ValueInfo = Graph["inputs"][number];
type Value = { readonly name: string; readonly dtype: string; readonly shape: ValueInfo["shape"] | null };

/** What `inspect` says, as its --json document. */
export type Inspection = {
  readonly model: {
    readonly name: string;
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly opset: number;
    readonly irVersion: number | null;
    readonly producer: string;
    readonly parameters: number;
    readonly nodes: number;
  };
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** How often each operator occurs, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** What becomes of each operator when a gradient has to pass it, and how many of its nodes lie on the way. */
  readonly differentiation: readonly Differentiated[];
  /** What a class target will be. */
  readonly target:
    | {
        readonly tensor: string;
        readonly squashedBy: string | null;
        readonly classes: number | string | null;
        readonly dense: boolean;
      }
    | { readonly error: ErrorDocument };
  /** In graph order; `default` marks the one that --layer auto takes. */
  readonly layers: readonly InspectedLayer[];
  readonly layerError?: ErrorDocument;
  /** Operators that no gradient can pass between the input and the target: where they stand, why, and the way out. */
  readonly unsupported: readonly UnsupportedOperator[];
  readonly manifest: Manifest | null;
  /** The files the manifest was read from, and what in them was assumed or left out. */
  readonly manifestFrom: ManifestSource | null;
  /** How a picture would get in, and who says so; null for an input that takes none. */
  readonly preprocessing: Preprocessing | { readonly error: ErrorDocument } | null;
};

export type InspectedLayer = {
  readonly tensor: string;
  readonly operator: string;
  readonly channels: number | string | null;
  readonly space: readonly (number | string | null)[];
  readonly default: boolean;
  /** Whether every operator from here to the target has a gradient rule. */
  readonly explainable: boolean;
};

export type UnsupportedOperator = {
  readonly operator: string;
  readonly count: number;
  readonly firstNode: string;
  readonly why: string;
  readonly instead: string;
};

/** `kind` is "unknown" for an operator that the tables lack. */
export type Differentiated = {
  readonly operator: string;
  readonly count: number;
  /** How many lie between the input and the target, where a gradient has to pass. */
  readonly onPath: number;
} & (Support | { readonly kind: "unknown" });

/** Everything that can be said of a model without running it. */
export function inspectModel(
  model: ModelFile,
  named: { input?: string | undefined; output?: string | undefined },
): Inspection {
  const { graph } = model;
  const { producer } = graph;
  return {
    model: {
      name: model.name,
      file: model.path,
      sha256: model.sha256(),
      bytes: model.bytes,
      opset: model.opset,
      irVersion: producer?.irVersion ?? 0,
      producer: [producer?.name, producer?.version].filter(Boolean).join(" "),
      parameters: parameterCount(graph),
      nodes: graph.nodes.length,
    },
    inputs: graph.inputs.map(described),
    outputs: graph.outputs.map(described),
    operators: histogram(graph),
    ...explanationFacts(model, named),
    manifest: model.manifest ?? null,
    manifestFrom: model.manifestFrom ?? null,
    preprocessing: preparation(model, named.input),
  };
}

function preparation(model: ModelFile, input: string | undefined): Inspection["preprocessing"] {
  try {
    return preprocessingOf(model, mainInput(model, input));
  } catch (error) {
    if (error instanceof ManifestError) return { error: errorDocument(error) };
    if (error instanceof InputError) return null; // no input for pictures
    throw error;
  }
}

function explanationFacts(model: ModelFile, named: { input?: string | undefined; output?: string | undefined }) {
  let site: ReturnType<typeof groundwork>;
  try {
    site = groundwork(model, { input: mainInput(model, named.input).name, output: named.output });
  } catch (error) {
    if (!(error instanceof CamError)) throw error;
    return {
      differentiation: differentiated(model.graph, []),
      target: { error: errorDocument(error) },
      layers: [],
      unsupported: [],
    };
  }
  const order = topological(site.op.graph);
  const obstacles = (from: string) =>
    between(site.op, order, [from], [site.logits]).path.filter((node) => refusalOf(site.op.graph, node));
  const layers = candidateLayers(site);
  const picked = chosen(site, model, layers);
  const dims = site.op.dims(site.logits);
  return {
    differentiation: differentiated(model.graph, pathOf(model.graph, site.input, site.logits)),
    target: {
      tensor: site.logits,
      squashedBy: site.squashedBy ?? null,
      classes: dims?.[site.classAxis] ?? null,
      dense: dims?.some((dim, axis) => axis > 0 && axis !== site.classAxis && dim !== 1) ?? false,
    },
    layers: layers.map(
      (layer): InspectedLayer => ({
        tensor: layer.value,
        operator: layer.opType,
        channels: layer.channels,
        space: layer.space,
        default: picked.names.includes(layer.value),
        explainable: obstacles(layer.value).length === 0,
      }),
    ),
    ...(picked.error ? { layerError: picked.error } : {}),
    unsupported: unsupportedAmong(site.op.graph, obstacles(site.input)),
  };
}

function chosen(
  site: ReturnType<typeof groundwork>,
  model: ModelFile,
  layers: readonly Layer[],
): { names: readonly string[]; error?: ErrorDocument } {
  if (model.manifest?.targetLayer !== undefined) return { names: [model.manifest.targetLayer] };
  if (layers.length === 0) {
    try {
      defaultLayers(site);
    } catch (error) {
      return { names: [], error: errorDocument(error) };
    }
  }
  return { names: defaultLayers(site).map((layer) => layer.value) };
}

type Node = Graph["nodes"][number];

/** The file's own nodes between two values, along which gradients flow. */
function pathOf(graph: Graph, from: string, to: string): readonly Node[] {
  const op = new Builder(copyGraph(graph));
  return between(op, topological(graph), [from], [to]).path;
}

function differentiated(graph: Graph, path: readonly Node[]): Differentiated[] {
  const onPath = counted(path);
  return Object.entries(histogram(graph)).map(([operator, count]) => ({
    operator,
    count,
    onPath: onPath.get(operator) ?? 0,
    ...(supportOf(operator) ?? { kind: "unknown" as const }),
  }));
}

function unsupportedAmong(graph: Graph, nodes: readonly Node[]): UnsupportedOperator[] {
  const counts = counted(nodes);
  return [...counts].map(([operator, count]) => {
    const node = nodes.find((each) => ruleName(each) === operator)!;
    return { operator, count, firstNode: node.name || (node.outputs[0] ?? ""), ...refusalOf(graph, node)! };
  });
}

function counted(nodes: readonly Node[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(ruleName(node), (counts.get(ruleName(node)) ?? 0) + 1);
  return counts;
}

function histogram(graph: Graph): Record<string, number> {
  return Object.fromEntries([...counted(graph.nodes)].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

/** Elements of all weights: constants of floating point, or of 8 bits and less (quantised). Shapes and indices don't count. */
function parameterCount(graph: Graph): number {
  let count = 0;
  for (const { dtype, shape } of graph.initializers.values())
    if (/float|^u?int[248]$/.test(dtype)) count += shape.reduce((product, dim) => product * dim, 1);
  return count;
}

function described({ name, dtype, shape }: ValueInfo): Value {
  return { name, dtype, shape: shape ?? null };
}
