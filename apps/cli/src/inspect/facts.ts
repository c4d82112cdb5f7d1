import {
  CamError,
  candidateLayers,
  defaultLayer,
  type Graph,
  groundwork,
  type Layer,
  type Manifest,
  type ModelFile,
  ruleName,
  rules,
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
  /** Operators without a gradient rule between the input and the target, and where they stand. */
  readonly unsupported: readonly UnsupportedOperator[];
  readonly manifest: Manifest | null;
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

export type UnsupportedOperator = { readonly operator: string; readonly count: number; readonly firstNode: string };

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
  };
}

function explanationFacts(model: ModelFile, named: { input?: string | undefined; output?: string | undefined }) {
  let site: ReturnType<typeof groundwork>;
  try {
    site = groundwork(model, { input: mainInput(model, named.input).name, output: named.output });
  } catch (error) {
    if (!(error instanceof CamError)) throw error;
    return { target: { error: errorDocument(error) }, layers: [], unsupported: [] };
  }
  const behind = between(site.op.graph, site.input, site.logits);
  const layers = candidateLayers(site);
  const picked = chosen(site, model, layers);
  const dims = site.op.dims(site.logits);
  return {
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
        default: layer.value === picked.name,
        explainable: between(site.op.graph, layer.value, site.logits).every(
          (node) => rules[ruleName(node)] !== undefined,
        ),
      }),
    ),
    ...(picked.error ? { layerError: picked.error } : {}),
    unsupported: unsupportedAmong(behind),
  };
}

function chosen(
  site: ReturnType<typeof groundwork>,
  model: ModelFile,
  layers: readonly Layer[],
): { name?: string; error?: ErrorDocument } {
  if (model.manifest?.targetLayer !== undefined) return { name: model.manifest.targetLayer };
  if (layers.length === 0) {
    try {
      defaultLayer(site);
    } catch (error) {
      return { error: errorDocument(error) };
    }
  }
  return { name: defaultLayer(site).value };
}

type Node = Graph["nodes"][number];

/** Nodes that lie on a way from one value to another along which gradients flow, in graph order. */
function between(graph: Graph, from: string, to: string): readonly Node[] {
  const reached = new Set([from]);
  const forward = graph.nodes.filter((node) => {
    const live = rules[ruleName(node)]?.kind !== "zero" && node.inputs.some((name) => reached.has(name));
    if (live) for (const name of node.outputs) reached.add(name);
    return live;
  });
  const wanted = new Set([to]);
  return forward
    .reverse()
    .filter((node) => {
      const live = node.outputs.some((name) => wanted.has(name));
      if (live) for (const name of node.inputs) wanted.add(name);
      return live;
    })
    .reverse();
}

function unsupportedAmong(nodes: readonly Node[]): UnsupportedOperator[] {
  const found = new Map<string, { count: number; firstNode: string }>();
  for (const node of nodes) {
    const name = ruleName(node);
    if (rules[name] !== undefined) continue;
    const entry = found.get(name);
    if (entry) entry.count++;
    else found.set(name, { count: 1, firstNode: node.name || (node.outputs[0] ?? "") });
  }
  return [...found].map(([operator, entry]) => ({ operator, ...entry }));
}

function histogram(graph: Graph): Record<string, number> {
  const counts = new Map<string, number>();
  for (const node of graph.nodes) counts.set(ruleName(node), (counts.get(ruleName(node)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

/** Elements of all weights: constants of floating point, or of 8 bits (quantised). Shapes and indices don't count. */
function parameterCount(graph: Graph): number {
  let count = 0;
  for (const { dtype, shape } of graph.initializers.values())
    if (/float|^u?int8$/.test(dtype)) count += shape.reduce((product, dim) => product * dim, 1);
  return count;
}

function described({ name, dtype, shape }: ValueInfo): Value {
  return { name, dtype, shape: shape ?? null };
}
