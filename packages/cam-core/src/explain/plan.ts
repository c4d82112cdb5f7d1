import { between, gradient } from "../autodiff/gradient.ts";
import { InputError, LayerError, UnknownNameError } from "../errors.ts";
import { Builder, type Value } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import { expandFused, restoreFused } from "../graph/fused/index.ts";
import { copyGraph, type Graph, topological, type ValueInfo } from "../graph/graph.ts";
import { gatherOneHot } from "../graph/passes/gather-one-hot.ts";
import { hoistPosition } from "../graph/passes/hoist-position.ts";
import { meanOfExpanded } from "../graph/passes/mean-of-expanded.ts";
import { pruneUnused } from "../graph/passes/prune-unused.ts";
import { settleControl } from "../graph/passes/settle-control.ts";
import type { Method, MethodContext } from "../methods/method.ts";
import type { InputManifest } from "../model/manifest.ts";
import type { Model } from "../model/model.ts";
import type { Target } from "../targets/parse.ts";
import { type Seeded, seedTarget } from "../targets/seed.ts";
import { isReal } from "../tensor.ts";
import { axesFromLayout, guessLayout, inferAxes } from "./axes.ts";
import { type Axes, isSpace } from "./axis.ts";
import { anchorScores } from "./detections.ts";
import { doubtsOf } from "./doubts.ts";
import { withoutExplanation } from "./explained.ts";
import { averageMaps, finishMap } from "./finish.ts";
import { candidateLayers, defaultLayers, type Layer, layerNamed, type Site } from "./layers.ts";
import { toChannelsFirst } from "./layout.ts";
import { linearHead } from "./linear-head.ts";
import { classAxisOf, type Logits, logitsOf } from "./logits.ts";
import { feedPixels, type PixelAffine, pixelInput } from "./pixels.ts";
import { rootsOf } from "./rounding.ts";

/** A model made ready for explaining: axes followed, logits found. Building on it changes its own copy of the graph. */
export type Groundwork = Site & {
  readonly model: Model;
  readonly squashedBy: Logits["squashedBy"];
  readonly classAxis: number;
  readonly labels: readonly string[];
  /** The model's own outputs. */
  readonly outputs: readonly Value[];
};

export type GroundworkOptions = {
  /** The graph input to explain. Default: the first one that is laid out in space, else the first float one. */
  input?: string | undefined;
  /** The output to explain. Default: the manifest's, else the first. */
  output?: string | undefined;
  /** Values that will be asked for by name and must keep all their positions. */
  keep?: readonly Value[];
};

/** Copies the model's graph, finds the input and the logits, and moves token choices ahead. */
export function groundwork(model: Model, options: GroundworkOptions = {}): Groundwork {
  const graph = withoutExplanation(copyGraph(model.graph));
  expandFused(graph);
  const outputs = graph.outputs.map((output) => output.name);
  const input = chooseInput(graph.inputs, options.input);
  const output = options.output ?? model.manifest?.output?.name ?? outputs[0]!;
  if (!outputs.includes(output))
    throw new InputError(`the model has no output "${output}"`, { hint: `Outputs: ${outputs.join(", ")}.` });
  const op = settled(graph, input.name, output);
  const direct = logitsOf(op, output);
  const anchors = direct.squashedBy === undefined ? anchorScores(op, output, input.shape?.[0]) : undefined;
  const { value: scores, squashedBy } = anchors ?? direct;
  const value = /float(32|64)/.test(op.dtype(scores)) ? scores : op.cast(scores, "float32");
  const logits = op.rank(value) === 1 ? op.unsqueeze(value, [oneRow(input, op.dims(value)!) ? 0 : 1]) : value;
  graph.outputs = [...new Set([logits, ...(options.keep ?? [])])].map((name) => ({ name, dtype: op.dtype(name) }));
  for (const name of outputs)
    if (!graph.outputs.some((kept) => kept.name === name)) graph.outputs.push({ name, dtype: op.dtype(name) });
  hoistPosition(op);
  const layout = model.manifest?.inputs?.[input.name]?.layout ?? guessLayout(input.shape ?? []);
  const start = new Map<Value, Axes>(layout && input.shape ? [[input.name, axesFromLayout(layout, input.shape)]] : []);
  const axes = inferAxes(graph, op.facts, start);
  const classAxis = classAxisOf(op, logits, axes.get(logits));
  return {
    model,
    op,
    axes,
    squashedBy,
    ...(anchors ? bestAnchor(op, logits, classAxis) : { logits, classAxis }),
    labels: model.labels,
    input: input.name,
    tokens: model.manifest?.tokens,
    outputs,
  };
}

/** A builder on the graph, its control flow between two values written out as far as it is known before the run. */
export function settled(graph: Graph, from: Value, to: Value): Builder {
  const op = new Builder(graph);
  const { path } = between(op, topological(graph), [from], [to]);
  // What a branch or a round held may be settled in its turn, now that more is known around it.
  return settleControl(op, new Set(path)) ? settled(graph, from, to) : op;
}

/** What a detector says of a class is what its best anchor says: [N, classes] of [N, classes, anchors], or the axes swapped. */
function bestAnchor(op: Builder, scores: Value, classAxis: number): { logits: Value; classAxis: number } {
  const logits = op.reduceMax(scores, { axes: [3 - classAxis], keepdims: false });
  op.graph.outputs.push({ name: logits, dtype: op.dtype(logits) });
  return { logits, classAxis: 1 };
}

/** A vector output is one row of scores for a batch of one, or one score per sample. */
function oneRow(input: ValueInfo, dims: readonly unknown[]): boolean {
  return !(input.shape && dims[0] === input.shape[0]) || input.shape[0] === 1;
}

function chooseInput(inputs: readonly ValueInfo[], name: string | undefined): ValueInfo {
  const floats = inputs.filter((input) => isReal(input.dtype));
  const found =
    name === undefined
      ? (floats.find((input) => (input.shape?.length ?? 0) >= 3) ?? floats[0])
      : inputs.find((input) => input.name === name);
  if (!found)
    throw new InputError(
      name === undefined ? "the model has no floating-point input" : `the model has no input "${name}"`,
      {
        hint: `Inputs: ${inputs.map((input) => `${input.name} (${input.dtype})`).join(", ")}.`,
      },
    );
  return found;
}

/** What is built for one explanation. */
export type PlanOptions = GroundworkOptions & {
  readonly method: Method;
  /** Tensor names, or none for the default layer. Maps of several layers are averaged. */
  readonly layers?: readonly string[] | undefined;
  /** One kind of target per map; what they feed may change from run to run. */
  readonly targets: readonly Target[];
  /** Also make the finished map, at the input's resolution. */
  readonly finish?: boolean;
  /** Take prepared pictures (uint8) instead of the model's own input. */
  readonly pixels?: { readonly manifest: InputManifest; readonly affine: PixelAffine } | undefined;
};

/** One graph that turns inputs into maps, and the names of what it puts out. */
export type Plan = {
  readonly graph: Graph;
  /** The graph input that carries the batch. */
  readonly input: Value;
  readonly logits: Value;
  readonly logitsRank: number;
  /** Whether the model's output is a softmax or sigmoid of the logits. */
  readonly squashedBy: Logits["squashedBy"];
  readonly classAxis: number;
  /** What speaks against the model's answers, in words. */
  readonly doubts: readonly string[];
  readonly layers: readonly Layer[];
  readonly targets: readonly PlannedTarget[];
};

export type PlannedTarget = {
  readonly feeds: Seeded["feeds"];
  /** Output names: the scalar per sample, the class explained, raw maps per layer, the finished map. */
  readonly scores: Value;
  readonly winners?: Value;
  readonly raw: readonly Value[];
  readonly map?: Value;
};

/**
 * Writes forward pass, backward pass, map and its finish into one graph. Only what lies between target and layer is
 * differentiated. Throws what the parts throw: UnknownNameError, LayerError, TargetError, MethodError, NoGradientRuleError.
 */
export function plan(model: Model, options: PlanOptions): Plan {
  const base = groundwork(model, { ...options, keep: options.layers ?? [] });
  const { op, logits } = base;
  const { method } = options;
  const layers = layersFor(base, method, options.layers);
  const outputs: Value[] = [logits];
  const targets = options.targets.map((target, slot): PlannedTarget => {
    const seeded = seedTarget(base, target, slot);
    const raw = rawMaps(base, method, layers, seeded).map((map, i) => publish(op, map, `camkit/raw.${slot}.${i}`));
    const map = options.finish ? publish(op, finish(base, method, raw), `camkit/map.${slot}`) : undefined;
    const scores = publish(op, seeded.scores, `camkit/score.${slot}`);
    const winners = seeded.winners && publish(op, seeded.winners, `camkit/class.${slot}`);
    outputs.push(scores, ...raw, ...(map ? [map] : []), ...(winners ? [winners] : []));
    return { feeds: seeded.feeds, scores, raw, ...(winners ? { winners } : {}), ...(map ? { map } : {}) };
  });
  if (options.pixels) feedPixels(op, base.input, options.pixels.manifest, options.pixels.affine);
  const graph = seal(op, outputs);
  return {
    graph,
    input: options.pixels ? pixelInput : base.input,
    logits,
    squashedBy: base.squashedBy,
    classAxis: base.classAxis,
    doubts: doubtsOf(base),
    logitsRank: op.rank(logits),
    layers,
    targets,
  };
}

/** The layers that a method reads: none for one at the input's resolution. Throws MethodError where it can't work on one. */
export function layersFor(base: Groundwork, method: Method, names: readonly string[] | undefined): Layer[] {
  const layers = method.resolution === "input" ? [] : chooseLayers(base, names);
  if (method.needs.includes("linear-head")) for (const layer of layers) linearHead(base.op, layer.tensor, base.logits);
  return layers;
}

/** One target's raw map per layer (or one at the input): float32 [N, ...space]. Adds forward, backward and the method's nodes. */
export function rawMaps(
  base: Groundwork,
  method: Method,
  layers: readonly Layer[],
  seeded: Pick<Seeded, "value" | "seed">,
): Value[] {
  const candidates = () => candidateLayers(base).map((layer) => layer.value);
  const wrt = method.resolution === "input" ? [base.input] : layers.map((layer) => layer.tensor);
  const gradients = gradient(base.op, rootsOf(base.op, seeded), wrt, { candidates });
  return gradients.map((dA, i) => build(base, method, layers[i], dA));
}

export function chooseLayers(base: Groundwork, names: readonly string[] | undefined): Layer[] {
  const wanted = names ?? (base.model.manifest?.targetLayer ? [base.model.manifest.targetLayer] : undefined);
  return wanted ? wanted.map((name) => layerNamed(base, name)) : defaultLayers(base);
}

/** The method's raw map at one layer (or at the input). */
function build(base: Groundwork, method: Method, layer: Layer | undefined, dA: Value): Value {
  const context = contextAt(base, layer, dA);
  const made: Record<string, Value> = {};
  for (const stage of method.stages) if (stage.kind === "nodes") Object.assign(made, stage.build({ ...context, made }));
  return base.op.cast(made.map!, "float32");
}

/** What a method's nodes see at a layer, or at the input where `layer` is undefined. Without gradients for gradient-free ones. */
export function contextAt(base: Groundwork, layer: Layer | undefined, dA: Value | undefined): MethodContext {
  const { op } = base;
  const at = (value: Value, axes: Axes | undefined) => {
    if (axes) return toChannelsFirst(op, op.cast(value, op.dtype(value) === "float64" ? "float64" : "float32"), axes);
    throw new LayerError(
      `input "${base.input}" of rank ${op.dims(base.input)?.length ?? "unknown"} has no spatial layout`,
      {
        hint: "State its layout in the model's manifest.",
      },
    );
  };
  const inputAxes = base.axes.get(base.input);
  const activations = layer ? at(layer.tensor, layer.axes) : "";
  const main = layer ? activations : at(base.input, inputAxes);
  return {
    op,
    activations,
    gradients: layer && dA !== undefined ? at(dA, layer.axes) : "",
    input: inputAxes ? at(base.input, inputAxes) : "",
    inputGradients: layer || dA === undefined ? "" : at(dA, inputAxes),
    space: Array.from({ length: op.rank(main) - 2 }, (_, i) => i + 2),
    made: {},
  };
}

/**
 * The map that is shown, [N, ...input's space] in 0 to 1, from the raw ones: each finished, then averaged. NaN for samples that
 * aren't `valid`, bool [N].
 */
export function finish(base: Groundwork, method: Method, raw: readonly Value[], valid?: Value): Value {
  const { op } = base;
  const axes = base.axes.get(base.input) ?? [];
  const space = axes.flatMap((axis, i) => (isSpace(axis) ? [i] : []));
  const upsample = method.resolution === "layer" && space.length > 0;
  const size = upsample
    ? op.concat(
        space.map((axis) => op.dim(base.input, axis)),
        0,
      )
    : undefined;
  if (raw.length === 1) return finishMap(op, raw[0]!, size, valid);
  const maps = raw.map((map) => finishMap(op, map, size));
  return averageMaps(op, maps, valid);
}

/** Gives a value a name of its own among the outputs. */
export function publish(op: Builder, value: Value, name: Value): Value {
  op.alias(value, name);
  return name;
}

/** d target / d value as a graph: the gradient itself, in the value's own shape and type. */
export function gradientPlan(
  model: Model,
  options: GroundworkOptions & { target: Target; wrt?: string | undefined },
): Plan & { gradient: Value } {
  const base = groundwork(model, { ...options, keep: options.wrt === undefined ? [] : [options.wrt] });
  const { op, logits } = base;
  const wrt = options.wrt ?? base.input;
  if (!op.facts.types.has(wrt))
    throw new UnknownNameError(
      "tensor",
      wrt,
      [...op.facts.types.keys()].filter((name) => !name.startsWith("camkit/")),
    );
  const seeded = seedTarget(base, options.target, 0);
  const candidates = () => candidateLayers(base).map((layer) => layer.value);
  const found = publish(
    op,
    gradient(op, new Map([[seeded.value, seeded.seed]]), [wrt], { candidates })[0]!,
    "camkit/gradient",
  );
  const scores = publish(op, seeded.scores, "camkit/score.0");
  const winners = seeded.winners && publish(op, seeded.winners, "camkit/class.0");
  const graph = seal(op, [logits, found, scores, ...(winners ? [winners] : [])]);
  const target: PlannedTarget = { feeds: seeded.feeds, scores, raw: [], ...(winners ? { winners } : {}) };
  return {
    graph,
    input: base.input,
    logits,
    squashedBy: base.squashedBy,
    classAxis: base.classAxis,
    doubts: doubtsOf(base),
    logitsRank: op.rank(logits),
    layers: [],
    targets: [target],
    gradient: found,
  };
}

/** Keeps what the outputs need, in a legal order. */
export function seal(op: Builder, outputs: readonly Value[]): Graph {
  op.graph.outputs = outputs.map((name) => ({ name, dtype: op.dtype(name) }));
  gatherOneHot(op);
  meanOfExpanded(op);
  pruneUnused(op.graph);
  restoreFused(op);
  pruneUnused(op.graph);
  checkGraph(op.graph);
  op.graph.types = op.facts.types;
  return op.graph;
}
