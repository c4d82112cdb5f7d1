import { between } from "../autodiff/gradient.ts";
import { LayerError, UnknownNameError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { estimateDim } from "../graph/dims.ts";
import { constantsOf, type Dim, type Node, producersOf, readsOf, topological, usersOf } from "../graph/graph.ts";
import { isReal } from "../tensor.ts";
import { type Axes, type Axis, isSpace, type SpaceAxis } from "./axis.ts";

/** A tensor that a map can be made at. */
export type Layer = {
  /** Its name in the file. */
  readonly value: Value;
  /** The tensor of real numbers in the graph: the value itself, or what a quantised one stands for. */
  readonly tensor: Value;
  readonly opType: string;
  readonly axes: Axes;
  /** Channels, and positions per spatial axis of the input. */
  readonly channels: Dim;
  readonly space: readonly Dim[];
};

/** What is searched for a layer: the graph, what its axes mean, where the explanation starts and ends. */
export type Site = {
  readonly op: Builder;
  readonly axes: ReadonlyMap<Value, Axes>;
  readonly logits: Value;
  readonly input: Value;
  /** How tokens lie in space, where the manifest says it. */
  readonly tokens?: { readonly prefix: number; readonly grid: readonly number[] } | undefined;
};

/**
 * Operators whose output isn't a finished feature: bare products and affine steps, which an activation or a residual sum
 * usually follows, and layout changes.
 */
const unfinished: ReadonlySet<string> = new Set([
  "Conv",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "BatchNormalization",
  "Transpose",
  "Reshape",
  "Split",
  "Slice",
  "Pad",
  "Dropout",
  "Identity",
  "Cast",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Sigmoid",
  "HardSigmoid",
  "Softmax",
  "Erf",
  "Tanh",
  "Expand",
  "Tile",
  "QuantizeLinear",
]);

/** Operators that neither weigh channels against each other nor make features. */
const weightless: ReadonlySet<string> = new Set([
  "Concat",
  "ReduceMean",
  "ReduceSum",
  "ReduceMax",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "AveragePool",
  "MaxPool",
  "Resize",
  "Softmax",
  "LogSoftmax",
  "Sigmoid",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Identity",
  "Transpose",
  "Relu",
  "Dropout",
  "Slice",
  "Split",
  "Pad",
  "Cast",
  "Clip",
  "Sqrt",
  "TopK",
  "Gather",
  "GatherND",
  "GatherElements",
]);

/** The tensors that a map can be made at, in graph order: on the path from the input to the logits, laid out in space. */
export function candidateLayers(site: Site): Layer[] {
  const { frontier, list } = candidates(site);
  const producers = producersOf(site.op.graph);
  return list.filter((layer) => frontier.has(layer.tensor) || isFinished(site, producers, layer.tensor));
}

/**
 * The default layers, one for most networks: the last feature tensor before space is pooled, flattened or gathered away that
 * all the target sees passes through, class tokens aside. Where the output itself is laid out in space (segmentation), that
 * would be the output, so it is the last tensor of the deepest stage instead. Where scores are made at several resolutions
 * (a detector's pyramid), it is the last feature tensor of each; where regions are cut out of several, these. Throws LayerError where nothing on the path has a place in
 * space.
 */
export function defaultLayers(site: Site): Layer[] {
  const all = candidateLayers(site);
  const { path } = between(site.op, topological(site.op.graph), [site.input], [site.logits]);
  const regions = levelsCutFrom(site, path);
  if (regions.length > 1) return regions;
  const mixes = mixer(site);
  const whole = seenWhole(site, path, mixes);
  const isBeside = path.some((node) => picksToken(site, node) && whole.has(node.inputs[0]!));
  const shows = isBeside ? mixedLater(path, mixes) : whole;
  const seen = all.filter((layer) => whole.has(layer.tensor) && shows.has(layer.tensor));
  const list = seen.length > 0 ? seen : all;
  if (list.length === 0)
    throw new LayerError("no tensor between the input and the output is laid out in space", {
      hint: "Name one with --layer, or use an input method (input-gradient); `camkit inspect` lists the graph's tensors.",
    });
  const scoreMaps = classScoreMaps(site);
  const heads = headsOf(site, scoreMaps);
  const features = list.filter((layer) => !scoreMaps.has(layer.tensor));
  const isDense = hasSpace(site, site.logits) || heads.length > 0;
  if (!isDense || features.length === 0) return [lastCut(site, list, path, whole)];
  const levels = pyramid(site, features, heads);
  if (levels.length > 1) return levels;
  const deepest = Math.min(...features.map(positions));
  return [features.findLast((layer) => positions(layer) === deepest)!];
}

function positions(layer: Layer): number {
  return layer.space.reduce((product: number, dim) => product * estimateDim(dim), 1);
}

/** The last of the layers, or an earlier one as fine as it that also holds what bypasses the last. */
function lastCut(site: Site, list: readonly Layer[], path: readonly Node[], whole: ReadonlySet<Value>): Layer {
  const last = list.at(-1)!;
  const edges = new Map<Value, Value[]>();
  for (const node of path)
    if (!picksToken(site, node) && carrying(node).some((name) => whole.has(name)))
      for (const read of readsOf(node)) edges.set(read, [...(edges.get(read) ?? []), ...carrying(node)]);
  const isCut = (layer: Layer) => {
    const seen = new Set<Value>([layer.tensor]);
    const queue = [site.input];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      if (seen.has(value)) continue;
      if (value === site.logits) return false;
      seen.add(value);
      queue.push(...(edges.get(value) ?? []));
    }
    return true;
  };
  const alike = list.filter((layer) => positions(layer) === positions(last));
  return alike.findLast(isCut) ?? last;
}

/** Operators that mix positions, or read them where they lie. Of products, those of two computed tensors do. */
const mixing: ReadonlySet<string> = new Set(
  (
    "Conv ConvTranspose ConvInteger AveragePool MaxPool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool Resize GridSample " +
    "Attention LSTM GRU RNN Scan Loop If Einsum InstanceNormalization CumSum"
  ).split(" "),
);
const products: ReadonlySet<string> = new Set(["MatMul", "MatMulInteger", "Gemm"]);

/**
 * Values whose positions the target sees through more than the choice of a class token: behind the last attention, all but that
 * token's row is computed for nothing, where quantisation keeps the choice from being moved ahead.
 */
function seenWhole(site: Site, path: readonly Node[], mixes: (node: Node) => boolean): Set<Value> {
  const whole = new Set<Value>([site.logits]);
  const picked = new Set<Value>();
  for (const node of path.toReversed()) {
    const outputs = carrying(node);
    const isWhole = outputs.some((name) => whole.has(name));
    const isPicked = outputs.some((name) => picked.has(name));
    if (!isWhole && !isPicked) continue;
    if (picksToken(site, node) || (isPicked && !isWhole && !mixes(node)))
      for (const name of node.inputs) picked.add(name);
    else for (const name of readsOf(node)) whole.add(name);
  }
  return whole;
}

/** Which operators of a graph mix positions. */
function mixer(site: Site): (node: Node) => boolean {
  const constants = constantsOf(site.op.graph);
  return (node) =>
    mixing.has(node.opType) ||
    (node.opType.startsWith("Reduce") && !hasSpace(site, node.outputs[0]!)) ||
    (products.has(node.opType) && node.inputs.slice(0, 2).every((name) => !constants.has(name)));
}

/**
 * Values that a later product of positions reads. Where a class token counts beside the grid that it lies with, its share
 * comes from the grid through the last of these: layers behind it don't show it.
 */
function mixedLater(path: readonly Node[], mixes: (node: Node) => boolean): Set<Value> {
  const found = new Set<Value>();
  for (const node of path.toReversed())
    if (node.outputs.some((name) => found.has(name)) || (products.has(node.opType) && mixes(node)))
      for (const name of readsOf(node)) found.add(name);
  return found;
}

/** The outputs through which a gradient passes: not the scale that is found for a tensor, nor its zero point. */
function carrying(node: Node): readonly Value[] {
  return node.opType === "DynamicQuantizeLinear" ? node.outputs.slice(0, 1) : node.outputs;
}

/** Whether a node takes class tokens away from the grid beside which they lie. */
function picksToken(site: Site, node: Node): boolean {
  if (node.opType !== "Slice" && node.opType !== "Gather") return false;
  const beside = (site.axes.get(node.inputs[0]!) ?? []).some((axis) => isSpace(axis) && axis.prefix + axis.suffix > 0);
  return beside && !hasSpace(site, node.outputs[0]!);
}

/** Where maps of scores are made, by the last operator that weighs. */
function headsOf(site: Site, scoreMaps: ReadonlySet<Value>): Value[] {
  const producers = producersOf(site.op.graph);
  return [...scoreMaps].filter((value) => {
    const node = producers.get(value);
    return node && !weightless.has(node.opType) && hasSpace(site, value);
  });
}

/** The last feature tensor before the scores of each resolution, finest first. */
function pyramid(site: Site, features: readonly Layer[], heads: readonly Value[]): Layer[] {
  const producers = producersOf(site.op.graph);
  const found = new Map<number, Layer>();
  for (const head of heads) {
    const axes = site.axes.get(head);
    const layer = axes && describe(site, head, "");
    if (!layer) continue;
    const before = ancestors(producers, head);
    const last = features.findLast((each) => positions(each) === positions(layer) && before.has(each.tensor));
    if (last) found.set(positions(layer), last);
  }
  return [...found].sort(([a], [b]) => b - a).map(([, layer]) => layer);
}

/** The levels of a pyramid that a detector of two stages cuts its regions out of, finest first. */
function levelsCutFrom(site: Site, path: readonly Node[]): Layer[] {
  const cut = new Set(path.flatMap((node) => (node.opType === "RoiAlign" ? node.inputs.slice(0, 1) : [])));
  const levels = candidates(site).list.filter((layer) => cut.has(layer.tensor));
  return levels.sort((a, b) => positions(b) - positions(a));
}

function isProductOfIntegers(op: Builder, node: Node | undefined): boolean {
  return node?.opType === "Cast" && /^u?int/.test(op.dtype(node.inputs[0]!));
}

/** A product of two probabilities: a class's, and that there is something at all. */
function weighsScores(producers: ReadonlyMap<Value, Node>, node: Node): boolean {
  return node.opType === "Mul" && node.inputs.every((name) => producers.get(name)?.opType === "Sigmoid");
}

function ancestors(producers: ReadonlyMap<Value, Node>, value: Value): Set<Value> {
  const seen = new Set<Value>();
  const queue = [value];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const node = producers.get(next);
    if (node) queue.push(...readsOf(node));
  }
  return seen;
}

/** A layer by name. Throws UnknownNameError, and LayerError for a tensor that has no place in space. */
export function layerNamed(site: Site, name: string): Layer {
  const { op } = site;
  const producer = producersOf(op.graph).get(name);
  if (!producer && !op.graph.inputs.some((input) => input.name === name)) {
    const known = [...producersOf(op.graph).keys()].filter((value) => !value.startsWith("camkit/"));
    throw new UnknownNameError("layer", name, known, { hint: "`camkit inspect` lists the candidates." });
  }
  const tensor = realOf(op, name);
  const opType = producersOf(op.graph).get(tensor)?.opType ?? "Input";
  const layer = describe(site, tensor, opType) ?? assumed(site, tensor, opType);
  return { ...layer, value: name };
}

/** The real numbers that a quantised tensor stands for; any other tensor itself. Throws LayerError where nothing reads them. */
function realOf(op: Builder, name: Value): Value {
  if (isReal(op.dtype(name))) return name;
  const readers = op.graph.nodes.filter((node) => node.inputs[0] === name && node.opType === "DequantizeLinear");
  if (readers.length === 1) return readers[0]!.outputs[0]!;
  throw new LayerError(`"${name}" holds ${op.dtype(name)}, not real numbers`, {
    hint:
      readers.length === 0
        ? "Choose one of the layers that `camkit inspect` lists."
        : `Name what is read from it: ${readers.map((node) => node.outputs[0]).join(", ")}.`,
  });
}

/** The file's own name of a tensor, where it has one: what an expansion made real has that of its quantised tensor. */
function fileName(value: Value, producer: Node): Value | undefined {
  if (!value.startsWith("camkit/")) return value;
  const read = producer.opType === "DequantizeLinear" ? producer.inputs[0]! : "camkit/";
  return read.startsWith("camkit/") ? undefined : read;
}

function describe(site: Site, value: Value, opType: string): Layer | undefined {
  const axes = site.axes.get(value);
  const dims = site.op.dims(value);
  if (!axes || !dims) return undefined;
  const channel = axes.findIndex((axis) => axis.kind === "channel");
  const spaces = axes.filter(isSpace);
  const rest = axes.filter((axis) => axis.kind !== "channel" && !isSpace(axis));
  const oneChannel = axes.filter((axis) => axis.kind === "channel").length === 1;
  // Frames that took the place of a batch of one leave none.
  const batchFirst =
    (rest.length === 1 && rest[0] === axes[0] && axes[0]!.kind === "batch") ||
    (rest.length === 0 && site.op.dims(site.input)?.[0] === 1);
  const extents = inputOrder(spaces);
  if (!oneChannel || !batchFirst || !extents || extents.every((extent) => extent === 1)) return undefined;
  // A layer that has lost one of the input's axes (time that was averaged) can't be laid over the input.
  const input = site.axes.get(site.input)?.filter(isSpace).length ?? extents.length;
  if (extents.length !== input) return undefined;
  return { value, tensor: value, opType, axes, channels: dims[channel]!, space: extents };
}

/** Extents in the order of the input's axes; undefined where two axes claim the same one. */
function inputOrder(spaces: readonly SpaceAxis[]): Dim[] | undefined {
  const pairs = spaces.flatMap((space) => space.axes.map((axis, i) => [axis, space.extents[i]!] as const));
  const order = pairs.sort((a, b) => a[0] - b[0]);
  if (order.length === 0 || order.some(([axis], i) => axis !== order[0]![0] + i)) return undefined;
  return order.map(([, extent]) => extent);
}

/** A named tensor whose axes couldn't be followed: [N, C, ...space], unless its shape can't be that. */
function assumed(site: Site, value: Value, opType: string): Layer {
  const dims = site.op.dims(value);
  if (site.axes.get(value)?.some((axis) => axis.kind === "merged" || axis.kind === "part"))
    throw new LayerError(`"${value}" is cut into windows or heads: its positions or channels lie on several axes`, {
      hint: "Choose one of the layers that `camkit inspect` lists.",
    });
  const input = site.axes.get(site.input)?.filter(isSpace) ?? [];
  if (dims && dims.length - 2 === input.length && dims.slice(2).some((dim) => dim !== 1)) {
    const axes: Axes = dims.map((dim, i) => {
      if (i < 2) return { kind: i === 0 ? "batch" : "channel" };
      return { kind: "space", axes: [i - 2], extents: [dim], prefix: 0, suffix: 0 };
    });
    return { value, tensor: value, opType, axes, channels: dims[1]!, space: dims.slice(2) };
  }
  if (dims?.length === 3) return tokens(site, value, opType, dims);
  throw new LayerError(
    `"${value}" of shape [${dims?.map((dim) => dim ?? "?").join(", ") ?? "unknown"}] can't be laid out in space`,
    {
      hint: "Choose one of the layers that `camkit inspect` lists.",
    },
  );
}

/** [N, T, C] of unknown grid: square, with at most five tokens (class, distillation, registers) in front. */
function tokens(site: Site, value: Value, opType: string, dims: readonly Dim[]): Layer {
  const count = dims[1];
  const layout = (prefix: number, grid: readonly number[]): Layer => ({
    value,
    tensor: value,
    opType,
    axes: [
      { kind: "batch" },
      { kind: "space", axes: grid.map((_, i) => i), extents: grid, prefix, suffix: 0 },
      { kind: "channel" },
    ],
    channels: dims[2]!,
    space: grid,
  });
  const given = site.tokens;
  if (given && count === given.prefix + given.grid.reduce((a, b) => a * b, 1)) return layout(given.prefix, given.grid);
  const spaces = site.axes.get(site.input)?.filter(isSpace).length ?? 0;
  for (let prefix = 0; typeof count === "number" && spaces === 2 && prefix <= 5; prefix++) {
    const side = Math.round(Math.sqrt(count - prefix));
    if (side > 1 && side * side === count - prefix) return layout(prefix, [side, side]);
  }
  throw new LayerError(`the ${count ?? "unknown number of"} tokens of "${value}" form no square grid`, {
    hint: "Say the grid in the model's manifest: tokens: { prefix, grid: [h, w] }.",
  });
}

function candidates(site: Site): { list: Layer[]; frontier: Set<Value> } {
  const { path } = between(site.op, topological(site.op.graph), [site.input], [site.logits]);
  const users = usersOf(site.op.graph);
  const onPath = new Set(path);
  const list: Layer[] = [];
  const frontier = new Set<Value>();
  for (const node of path)
    for (const value of node.outputs) {
      const name = value === "" ? undefined : fileName(value, node);
      const layer = isReal(site.op.dtype(value)) ? describe(site, value, node.opType) : undefined;
      if (!name || !layer || value === site.logits) continue;
      const next = (users.get(value) ?? []).filter((user) => onPath.has(user));
      if (next.length === 0) continue;
      if (next.some((user) => user.outputs.every((output) => !hasSpace(site, output)))) frontier.add(value);
      list.push({ ...layer, value: name });
    }
  return { list, frontier };
}

function hasSpace(site: Site, value: Value): boolean {
  return (site.axes.get(value) ?? []).some(spatial);
}

function spatial(axis: Axis): boolean {
  if (axis.kind === "merged") return axis.parts.some(spatial);
  if (axis.kind === "part") return spatial(axis.whole);
  return isSpace(axis) && axis.extents.some((extent) => extent !== 1);
}

/** Activations, norms, residual sums, products of two computed tensors, concatenations, pools. */
function isFinished(site: Site, producers: ReadonlyMap<Value, Node>, value: Value): boolean {
  const node = producers.get(value);
  if (!node || unfinished.has(node.opType)) return false;
  // A product of integers is a real number only after its scale.
  if (node.inputs.some((name) => isProductOfIntegers(site.op, producers.get(name)))) return false;
  if (!["Add", "Sub", "Mul", "Div"].includes(node.opType)) return true;
  const constants = constantsOf(site.op.graph);
  return node.inputs.every((name) => !constants.has(name));
}

/**
 * Values in space that only pooling, resizing, rectifying and layout separate from the logits: maps of class scores, not
 * features. Heads of detectors, whose maps are laid out in one list, are among them.
 */
function classScoreMaps(site: Site): Set<Value> {
  const producers = producersOf(site.op.graph);
  const maps = new Set<Value>();
  const queue = [site.logits];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    if (maps.has(value)) continue;
    maps.add(value);
    const node = producers.get(value);
    if (!node) continue;
    if (node.opType === "Concat" || weighsScores(producers, node)) queue.push(...node.inputs);
    else if (weightless.has(node.opType)) queue.push(node.inputs[0]!);
  }
  return maps;
}
