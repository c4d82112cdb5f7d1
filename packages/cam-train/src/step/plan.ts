import {
  Builder,
  checkGraph,
  copyGraph,
  type DType,
  feedPixels,
  float32,
  type Graph,
  gradient,
  type InputManifest,
  pixelAffine,
  pruneUnused,
  type Value,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { fastRules } from "./fast-rules.ts";

/** What one sample has under a name: a picture, a label, a mask. Shapes are without the batch axis. */
export type Field = { readonly dtype: DType; readonly shape: readonly number[] };

/** What a loss is built from. */
export type LossContext = {
  readonly op: Builder;
  /** The network's outputs, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** What the data set gives beside the input, batch axis first. */
  readonly fields: Readonly<Record<string, Value>>;
};

/** The scalar that is made small, and what to report beside it: its terms, by name. */
export type Loss = (context: LossContext) => { readonly loss: Value; readonly terms?: Readonly<Record<string, Value>> };

export type StepOptions = {
  /** The network in training form. */
  readonly graph: Graph;
  /** Samples in a step; fixed, so that everything that depends on sizes is settled before the run. */
  readonly batch: number;
  /** What the data set gives per sample. "input" goes to the network's input. */
  readonly fields: Readonly<Record<string, Field>>;
  /** How pictures become the network's input; without it the field "input" is the input. */
  readonly input?: InputManifest;
  /** Initializers that are trained. */
  readonly trained: readonly string[];
  /** Running statistics: initializers, and the values that they become. */
  readonly statistics?: ReadonlyMap<string, Value>;
  readonly loss: Loss;
};

/** One training step as one graph: forward, loss, backward. */
export type StepPlan = {
  readonly graph: Graph;
  /** Graph inputs by field. */
  readonly feeds: Readonly<Record<string, Value>>;
  readonly loss: Value;
  readonly terms: Readonly<Record<string, Value>>;
  /** The network's outputs, before the loss. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Graph outputs by trained initializer. */
  readonly gradients: ReadonlyMap<string, Value>;
  /** Graph outputs by running statistic. */
  readonly statistics: ReadonlyMap<string, Value>;
};

/**
 * Writes forward pass, loss and backward pass into one graph whose trained weights and running statistics are inputs.
 * Throws NetworkError where the network's input doesn't fit the data, and what `gradient` throws.
 */
export function planStep(options: StepOptions): StepPlan {
  const graph = copyGraph(options.graph);
  const [input, ...more] = graph.inputs;
  if (!input) throw new NetworkError("the network has no input");
  const { batch } = options;
  const sizes = options.input ? input.shape?.slice(1) : options.fields.input?.shape;
  graph.inputs = [{ ...input, shape: [batch, ...(sizes ?? [])] }, ...more];
  for (const name of [...options.trained, ...(options.statistics?.keys() ?? [])]) {
    const { dtype, shape } = graph.initializers.get(name)!;
    graph.initializers.delete(name);
    graph.inputs.push({ name, dtype, shape });
  }
  const outputs = Object.fromEntries(graph.outputs.map(({ name }) => [name, name]));
  const kept = graph.outputs.map(({ name }) => name);
  const op = new Builder(graph, { prefix: "step" });
  const fields: Record<string, Value> = {};
  for (const [field, { dtype, shape }] of Object.entries(options.fields)) {
    if (field === "input") continue;
    const info = { name: `step/${field}`, dtype, shape: [batch, ...shape] };
    graph.inputs.push(info);
    op.facts.types.set(info.name, info);
    fields[field] = info.name;
  }
  const fed = options.input ? feedPixels(op, input.name, options.input, pixelAffine(options.input), batch) : input.name;
  const { loss, terms = {} } = options.loss({ op, outputs, fields });
  const rank = op.rank(loss);
  if (rank !== 0) throw new NetworkError(`the loss is one number, found a value of rank ${rank}`);
  const seed = op.constant(float32([], [1]));
  const found = gradient(op, new Map([[loss, seed]]), options.trained, { override: fastRules });
  const gradients = new Map(options.trained.map((name, i) => [name, op.alias(found[i]!, `gradient/${name}`)]));
  const statistics = new Map(options.statistics);
  const wanted = [loss, ...Object.values(terms), ...kept, ...gradients.values(), ...statistics.values()];
  graph.outputs = [...new Set(wanted)].map((name) => ({ name, dtype: op.dtype(name) }));
  pruneUnused(graph);
  checkGraph(graph);
  return { graph, feeds: { input: fed, ...fields }, loss, terms, outputs, gradients, statistics };
}
