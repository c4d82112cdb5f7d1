import { IllegalGraphError, MethodError, NameTakenError, TargetError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { emptyGraph, type Graph, type Node, type ValueInfo } from "../graph/graph.ts";
import { renameValues } from "../graph/passes/rename-values.ts";
import type { Method } from "../methods/method.ts";
import type { InputManifest } from "../model/manifest.ts";
import type { Model } from "../model/model.ts";
import { describeTarget, type Target } from "../targets/parse.ts";
import { classNumbers, seedTarget } from "../targets/seed.ts";
import { mapsOfAllClasses } from "./all-classes.ts";
import { mark } from "./explained.ts";
import type { Layer } from "./layers.ts";
import { feedPictures } from "./pictures.ts";
import type { PixelAffine } from "./pixels.ts";
import {
  finish,
  type Groundwork,
  type GroundworkOptions,
  groundwork,
  layersFor,
  publish,
  rawMaps,
  seal,
} from "./plan.ts";

export type ExportOptions = Omit<GroundworkOptions, "keep"> & {
  readonly method: Method;
  /** Tensor names, or none for the default layer. */
  readonly layers?: readonly string[] | undefined;
  /** What is explained, once and for all. Default: the class that is asked for at run time. */
  readonly target?: Target | undefined;
  /** `cam` holds a map per class. */
  readonly allClasses?: boolean;
  /** Whether a caller may leave the class out, which asks for the winner. Default `optional`. */
  readonly targetInput?: TargetInput;
  /** What the added names begin with. Default `cam`. */
  readonly prefix?: string;
  /** Take pictures of any size, uint8 [N, H, W, 3], instead of the model's own input. */
  readonly pictures?: { readonly manifest: InputManifest; readonly affine: PixelAffine } | undefined;
  /** Key-value pairs that the file carries besides the model's own. */
  readonly metadata?: ReadonlyMap<string, string>;
};

/**
 * `optional` is ONNX's optional(tensor(int64)): Python and C++ may leave it out, onnxruntime-node and -web say that it is missing.
 * `required` is a plain tensor, for servers and compilers that know no other inputs. (An initializer among the inputs would be
 * the older way of a default; onnxruntime-node 1.30 ignores what is fed to one and explains another class in silence.)
 */
export type TargetInput = "optional" | "required";

/** A model that explains itself. */
export type ExportedGraph = {
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  /** The model's input that the maps lie over. */
  readonly explained: Value;
  /** Outputs: raw maps, one per layer, and the finished map. */
  readonly raw: readonly Value[];
  readonly map: Value;
  /** The input that chooses the class; undefined where the target is fixed. */
  readonly target: Value | undefined;
  /** The input that takes pictures, where the preprocessing is folded in. */
  readonly pictures: Value | undefined;
};

/**
 * The model with an explanation beside its outputs, as one graph of ONNX's own operators (what else the model has stays):
 *
 *   its outputs, as they were      cam [N, ...space] raw      cam_map [N, ...input's space] in 0 to 1
 *
 * The class comes from the input `cam_target`, int64, one number per sample or one for all; −1 is the winner, which is also what
 * is explained when the input is left out. A graph can't throw: for a number that is no class, both maps of that sample are NaN.
 * Several layers give `cam_0`, `cam_1`, … in their order, and `cam_map` from all of them. With `allClasses`, `cam` is
 * [N, classes, ...space], and the class chosen is the one that `cam_map` shows.
 *
 * Throws what planning throws; MethodError for a method that isn't one graph; NameTakenError.
 */
export function exportGraph(model: Model, options: ExportOptions): ExportedGraph {
  const { method, prefix = "cam", allClasses = false } = options;
  if (method.stages.some((stage) => stage.kind !== "nodes"))
    throw new MethodError(`${method.name} takes several runs of the model: it is no graph that could be exported`);
  const base = groundwork(model, { ...options, keep: options.layers ?? [] });
  const { op } = base;
  const declared = model.graph.outputs.filter((output) => base.outputs.includes(output.name));
  const layers = layersFor(base, method, options.layers);
  const raw = layers.length > 1 ? layers.map((_, i) => `${prefix}_${i}`) : [prefix];
  const names = {
    raw,
    map: `${prefix}_map`,
    target: options.target ? undefined : `${prefix}_target`,
    pictures: options.pictures && `${prefix}_pictures`,
  };
  refuseTaken(op.graph, [...raw, names.map, names.target, names.pictures], prefix);

  const { maps, shown, valid } = allClasses
    ? ofAllClasses(base, method, layers, names.target, options)
    : ofOneClass(base, method, layers, names.target, options);
  const orNaN = (map: Value) => (valid ? op.where(besides(op, valid, map), map, Number.NaN) : map);
  const explained = finish(base, method, shown, valid);
  for (const [i, map] of maps.entries()) publish(op, allClasses ? map : orNaN(map), raw[i]!);
  publish(op, explained, names.map);
  if (names.pictures)
    feedPictures(op, base.input, names.pictures, options.pictures!.manifest, options.pictures!.affine);

  const graph = seal(op, [...base.outputs, ...raw, names.map]);
  graph.outputs = graph.outputs.map(
    (output): ValueInfo =>
      declared.find(({ name }) => name === output.name) ?? { ...output, shape: op.dims(output.name) },
  );
  graph.metadata = mark(graph.metadata, {
    ...names,
    layers: layers.map((layer) => layer.value),
    extra: options.metadata,
  });
  checkPlain(graph, model.graph);
  // A later explanation of this file names its own values as they are named here.
  const own = namesOf(model.graph);
  const renamed = renameValues(graph, (name) => (own.has(name) ? name : name.replace(/^camkit\//, `${prefix}/`)));
  return { graph: renamed, layers, explained: base.input, ...names };
}

type Maps = {
  /** What becomes `cam`, per layer. */
  readonly maps: readonly Value[];
  /** What `cam_map` is made from: [N, ...space] per layer. */
  readonly shown: readonly Value[];
  /** Which samples were asked for a class that exists: bool [N]. */
  readonly valid: Value | undefined;
};

function ofOneClass(
  base: Groundwork,
  method: Method,
  layers: readonly Layer[],
  name: Value | undefined,
  { target, targetInput }: ExportOptions,
): Maps {
  const seeded = seedTarget(base, target ?? { kind: "auto" }, 0);
  let valid: Value | undefined;
  if (name === undefined) bakeIn(base, target!, seeded.feeds(target!, batchOf(base)));
  else valid = askAtRunTime(base, name, targetInput ?? "optional");
  const maps = rawMaps(base, method, layers, seeded);
  return { maps, shown: maps, valid };
}

function ofAllClasses(
  base: Groundwork,
  method: Method,
  layers: readonly Layer[],
  name: Value | undefined,
  { target, targetInput }: ExportOptions,
): Maps {
  if (name === undefined)
    throw new TargetError(`maps of all classes, or of one (${describeTarget(target!, base.labels)}): not both`);
  const { op } = base;
  const { winners } = seedTarget(base, { kind: "auto" }, 0);
  const valid = askAtRunTime(base, name, targetInput ?? "optional");
  const maps = layers.map((layer) => mapsOfAllClasses(base, method, layer));
  const shown = maps.map((map) => op.gatherND(map, op.unsqueeze(winners!, [1]), 1));
  return { maps, shown, valid };
}

/**
 * Makes the class an input of the graph: the target's own input takes what it says, −1 where it says nothing or no class.
 * Gives which samples have a class that exists (or the winner).
 */
function askAtRunTime(base: Groundwork, name: Value, kind: TargetInput): Value {
  const { op, logits } = base;
  const batch = op.dims(logits)![0]!;
  // One number for all samples is as good as one per sample, so the length has a name of its own where N isn't 1.
  const shape = [batch === 1 ? 1 : `${name}s`];
  op.graph.inputs.push({ name, dtype: "int64", shape, ...(kind === "optional" ? { optional: true } : {}) });
  op.facts.types.set(name, { dtype: "int64", shape });
  const given = kind === "optional" ? orElse(op, name, op.ints([-1])) : name;
  const perSample = op.expand(given, op.shape(logits, 0, 1));
  op.facts.types.set(perSample, { dtype: "int64", shape: [batch] });
  const valid = op.and(op.greaterOrEqual(perSample, -1), op.less(perSample, classNumbers(base)));
  replaceInput(op, seedInput, op.where(valid, perSample, -1));
  return valid;
}

/** The input of the only target, as `seedTarget` names it. */
const seedInput = "camkit/target.0";

/** The element of an optional value, or another value where it has none. */
function orElse(op: Builder, optional: Value, otherwise: Value): Value {
  const branch = (name: string, opType: string, input: Value) => {
    const output = op.fresh(name);
    const node: Node = { opType, domain: "", name: output, inputs: [input], outputs: [output], attributes: {} };
    const graph: Graph = {
      ...emptyGraph(name, op.graph.opsets),
      nodes: [node],
      outputs: [{ name: output, dtype: op.dtype(otherwise), shape: [null] }],
    };
    return { type: "graph" as const, value: graph };
  };
  const has = op.node("OptionalHasElement", [optional])[0]!;
  op.facts.types.set(has, { dtype: "bool", shape: [] });
  const chosen = op.fresh("If");
  op.graph.nodes.push({
    opType: "If",
    domain: "",
    name: chosen,
    inputs: [has],
    outputs: [chosen],
    attributes: {
      then_branch: branch("given", "OptionalGetElement", optional),
      else_branch: branch("otherwise", "Identity", otherwise),
    },
  });
  op.facts.types.set(chosen, { dtype: op.dtype(otherwise), shape: [null] });
  return chosen;
}

/** Makes what a target is fed constants of the graph: class numbers for every sample, masks. */
function bakeIn(base: Groundwork, target: Target, feeds: ReturnType<ReturnType<typeof seedTarget>["feeds"]>): void {
  const { op, logits } = base;
  for (const [name, tensor] of Object.entries(feeds)) {
    const constant = op.constant(tensor);
    replaceInput(op, name, target.kind === "mask" ? constant : op.expand(constant, op.shape(logits, 0, 1)));
  }
}

/** The model's batch where it is fixed; else one, which is then repeated. */
function batchOf({ op, logits }: Groundwork): number {
  const batch = op.dims(logits)![0];
  return typeof batch === "number" ? batch : 1;
}

/** A value in place of a graph input. */
function replaceInput(op: Builder, name: Value, value: Value): void {
  op.graph.inputs = op.graph.inputs.filter((input) => input.name !== name);
  op.alias(value, name);
}

/** A bool [N] in a shape that goes with `map` [N, ...]. */
function besides(op: Builder, valid: Value, map: Value): Value {
  return op.unsqueeze(
    valid,
    Array.from({ length: op.rank(map) - 1 }, (_, i) => i + 1),
  );
}

/** Names that are in use: values of the graph itself. */
function namesOf(graph: Graph): Set<string> {
  const outputs = graph.nodes.flatMap((node) => node.outputs);
  return new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys(), ...outputs]);
}

function refuseTaken(graph: Graph, names: readonly (Value | undefined)[], prefix: string): void {
  const taken = namesOf(graph);
  const found =
    names.find((name) => name !== undefined && taken.has(name)) ??
    [...taken].find((name) => name.startsWith(`${prefix}/`));
  if (found !== undefined) throw new NameTakenError(found, prefix);
}

/** What is added are ONNX's own operators: a gradient rule that emits another would tie the file to one runtime. */
function checkPlain(graph: Graph, original: Graph): void {
  const known = new Set(["", ...original.nodes.map((node) => node.domain)]);
  const foreign = graph.nodes.find((node) => !known.has(node.domain));
  if (foreign)
    throw new IllegalGraphError(`the explanation needs ${foreign.domain}:${foreign.opType}, which is not ONNX's own`);
}
