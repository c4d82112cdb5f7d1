import {
  Builder,
  checkGraph,
  copyGraph,
  type Dim,
  type DType,
  feedPixels,
  float32,
  type Graph,
  gradient,
  type InputManifest,
  isStatic,
  pixelAffine,
  pruneUnused,
  sizeOf,
  type Value,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import type { LossContext } from "../losses/define-loss.ts";
import { type Mask, trainingForm } from "../network/training-form.ts";
import { fastRules } from "./fast-rules.ts";
import { convsAsProducts } from "./products/index.ts";

/** What one sample has under a name: a picture, a label, a mask. Shapes are without the batch axis. */
export type Field = { readonly dtype: DType; readonly shape: readonly number[] };

/** The scalar that is made small, and what to report beside it: its terms, by name. */
export type Loss = (context: LossContext) => { readonly loss: Value; readonly terms?: Readonly<Record<string, Value>> };

export type StepOptions = {
  /** The network in inference form; its batch is open, or `batch`. */
  readonly graph: Graph;
  /** Samples in a step; fixed, so that everything that depends on sizes is settled before the run. */
  readonly batch: number;
  /** What the data set gives per sample. "input" goes to the network's input. */
  readonly fields: Readonly<Record<string, Field>>;
  /** How pictures become the network's input; without it the field "input" is the input. */
  readonly input?: InputManifest | undefined;
  /** Initializers that are trained. */
  readonly trained: readonly string[];
  /** Whether batch norms follow the batches. Default: those follow whose scale or shift is trained. */
  readonly statistics?: "batch" | "keep" | undefined;
  readonly loss: Loss;
};

/** One training step as one graph: forward, loss, backward. */
export type StepPlan = {
  readonly graph: Graph;
  /** Graph inputs by field. */
  readonly feeds: Readonly<Record<string, Value>>;
  /** What dropouts multiply by: inputs that are fed anew in every step. */
  readonly masks: readonly Mask[];
  readonly loss: Value;
  readonly terms: Readonly<Record<string, Value>>;
  /** The network's outputs, before the loss. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Graph outputs by trained initializer, its elements in order; not always in its shape. */
  readonly gradients: ReadonlyMap<string, Value>;
  /** Graph outputs by running statistic. */
  readonly statistics: ReadonlyMap<string, Value>;
  /** Of all values that a step makes; those that nobody reads any more give their memory to later ones. */
  readonly bytes: number;
};

/**
 * Writes forward pass, loss and backward pass into one graph whose trained weights and running statistics are inputs.
 * Throws NetworkError where the network's input doesn't fit the data, and what `gradient` throws.
 */
export function planStep(options: StepOptions): StepPlan {
  const { batch, trained } = options;
  const fixed = copyGraph(options.graph);
  const [input, ...others] = fixed.inputs;
  if (!input || others.length > 0)
    throw new NetworkError(
      `training takes networks with one input, found ${fixed.inputs.map(({ name }) => name).join(", ") || "none"}`,
    );
  fixed.inputs = [{ ...input, shape: [batch, ...(input.shape?.slice(1) ?? [])] }];
  const form = trainingForm(fixed, { statistics: options.statistics ?? followed(fixed, new Set(trained)) });
  const { statistics, masks } = form;
  const graph = convsAsProducts(form.graph);
  for (const name of [...trained, ...statistics.keys()]) {
    const { dtype, shape } = graph.initializers.get(name)!;
    graph.initializers.delete(name);
    graph.inputs.push({ name, dtype, shape });
  }
  const op = new Builder(graph, { prefix: "step" });
  const outputs = Object.fromEntries(options.graph.outputs.map(({ name }) => [name, name]));
  const { feeds, loss, terms } = feedAndJudge(op, input.name, outputs, options, batch);
  const seed = op.constant(float32([], [1]));
  const found = gradient(op, new Map([[loss, seed]]), trained, { override: fastRules });
  const gradients = new Map(trained.map((name, i) => [name, op.alias(unshaped(op, found[i]!), `gradient/${name}`)]));
  const wanted = [loss, ...Object.values(terms), ...Object.values(outputs)];
  graph.outputs = [...new Set([...wanted, ...gradients.values(), ...statistics.values()])].map((name) => ({
    name,
    dtype: op.dtype(name),
    shape: op.dims(name),
  }));
  pruneUnused(graph);
  checkGraph(graph);
  return { graph, feeds, masks, loss, terms, outputs, gradients, statistics, bytes: bytesOf(op) };
}

function bytesOf(op: Builder): number {
  const made = op.graph.nodes.flatMap(({ outputs }) => outputs.map((name) => op.facts.types.get(name)));
  return made.reduce((sum, type) => (type && isStatic(type.shape) ? sum + 4 * sizeOf(type.shape) : sum), 0);
}

/** What a value is before it is reshaped: at a graph's end that would copy it. */
function unshaped(op: Builder, value: Value): Value {
  const made = op.graph.nodes.findLast((node) => node.outputs.includes(value));
  const inner = made?.opType === "Reshape" ? made.inputs[0]! : undefined;
  return inner !== undefined && isStatic(op.dims(inner)) ? unshaped(op, inner) : value;
}

export type EvaluationOptions = Pick<StepOptions, "graph" | "fields" | "input"> & { readonly loss?: Loss };

/** The network and its loss, as they judge data: inference form, any number of samples. */
export type EvaluationPlan = Pick<StepPlan, "graph" | "feeds" | "outputs"> & { readonly loss: Value | undefined };

/** Throws NetworkError where the network's input doesn't fit the data. */
export function planEvaluation(options: EvaluationOptions): EvaluationPlan {
  const graph = copyGraph(options.graph);
  const [input] = graph.inputs;
  if (!input) throw new NetworkError("the network has no input");
  const batch = input.shape?.[0] ?? "n";
  const op = new Builder(graph, { prefix: "evaluation" });
  const outputs = Object.fromEntries(graph.outputs.map(({ name }) => [name, name]));
  const { loss } = options;
  const { feeds, loss: value } = loss
    ? feedAndJudge(op, input.name, outputs, { ...options, loss }, batch)
    : { feeds: { input: fed(op, input.name, options, batch) }, loss: undefined };
  graph.outputs = [...new Set([...Object.values(outputs), ...(value ? [value] : [])])].map((name) => ({
    name,
    dtype: op.dtype(name),
  }));
  pruneUnused(graph);
  checkGraph(graph);
  return { graph, feeds, outputs, loss: value };
}

/** Inputs for all fields, and the loss over them. */
function feedAndJudge(
  op: Builder,
  input: Value,
  outputs: Readonly<Record<string, Value>>,
  options: Pick<StepOptions, "fields" | "input" | "loss">,
  batch: Dim,
) {
  const fields: Record<string, Value> = {};
  for (const [field, { dtype, shape }] of Object.entries(options.fields)) {
    if (field === "input") continue;
    const info = { name: `field/${field}`, dtype, shape: [batch, ...shape] };
    op.graph.inputs.push(info);
    op.facts.types.set(info.name, info);
    fields[field] = info.name;
  }
  const feeds = { input: fed(op, input, options, batch), ...fields };
  const { loss, terms = {} } = options.loss({ op, outputs, fields });
  const rank = op.rank(loss);
  if (rank !== 0) throw new NetworkError(`the loss is one number, found a value of rank ${rank}`);
  return { feeds, loss, terms };
}

function fed(op: Builder, name: Value, { input, fields }: Pick<StepOptions, "fields" | "input">, batch: Dim): Value {
  if (input) return feedPixels(op, name, input, pixelAffine(input), batch);
  const given = fields.input?.shape ?? [];
  const wanted = op.dims(name)?.slice(1) ?? [];
  if (given.length !== wanted.length || given.some((size, i) => typeof wanted[i] === "number" && wanted[i] !== size))
    throw new NetworkError(`the network takes samples of [${wanted.join(", ")}], the data has [${given.join(", ")}]`);
  return name;
}

/** Follows the batches where a norm's scale or shift is trained. */
function followed(graph: Graph, trained: ReadonlySet<string>): (norm: Value) => "batch" | "keep" {
  const follow = new Set(
    graph.nodes
      .filter((node) => node.inputs.slice(1, 3).some((name) => trained.has(name)))
      .map((node) => node.outputs[0]),
  );
  return (norm) => (follow.has(norm) ? "batch" : "keep");
}
