import { gradient } from "../autodiff/gradient.ts";
import { AbortedError, InputError } from "../errors.ts";
import { Builder, type Value } from "../graph/builder.ts";
import { emptyGraph, type Graph } from "../graph/graph.ts";
import type { BatchedStage, Method, MethodContext, NodesStage } from "../methods/method.ts";
import type { Model } from "../model/model.ts";
import { type OpenSession, type Session, type SessionOptions, using } from "../runtime/runtime.ts";
import type { Target } from "../targets/parse.ts";
import { seedTarget } from "../targets/seed.ts";
import { numbersIn, rowOf, type Tensor, type TypedArray } from "../tensor.ts";
import { isSpace } from "./axis.ts";
import { finishMap } from "./finish.ts";
import type { Layer } from "./layers.ts";
import { fromChannelsFirst } from "./layout.ts";
import { narrowFeeds } from "./narrow-feeds.ts";
import { chooseLayers, contextAt, type GroundworkOptions, groundwork, publish, seal } from "./plan.ts";
import { rootsOf } from "./rounding.ts";

export type StagedOptions = SessionOptions &
  GroundworkOptions & {
    layers?: readonly string[] | undefined;
    signal?: AbortSignal | undefined;
    /** Called after each batched run with the share of all variants that are done. */
    onProgress?: (done: number, total: number) => void;
  };

export type StagedResult = {
  readonly layer: Layer;
  readonly scores: readonly number[];
  readonly classes: readonly number[] | undefined;
  readonly raw: Tensor;
  readonly map: Tensor;
};

/** A batched run should take about this long: Ctrl-C takes effect between runs. */
const runMs = 500;
const largestBatch = 32;

/**
 * Runs a method that isn't one graph: nodes, host steps and batched runs of the model (or of its part behind the layer), one
 * after the other, the tensors that each stage makes handed to the next. One layer, one target; the class of an `auto`
 * target is fixed by the clean input.
 */
export async function runStaged(
  openSession: OpenSession,
  model: Model,
  method: Method,
  given: Readonly<Record<string, Tensor>>,
  target: Target,
  options: StagedOptions = {},
): Promise<StagedResult> {
  const feeds = narrowFeeds(model.graph.inputs, given);
  const open: Open = (graph) => openSession(graph, options);
  const { layer, input, first } = await firstStage(open, model, method, feeds, target, options);
  const made: Record<string, Tensor> = { ...first.made };
  const batch = feeds[input]!.shape[0]!;
  const stages = method.stages.slice(method.stages[0]!.kind === "nodes" ? 1 : 0);
  for (const stage of stages) {
    if (options.signal?.aborted) throw new AbortedError();
    if (stage.kind === "host")
      Object.assign(made, stage.run(Object.fromEntries(stage.reads.map((name) => [name, made[name]!]))));
    else if (stage.kind === "nodes") Object.assign(made, await runNodes(open, model, stage, made));
    else
      made[stage.makes] = await runBatched(
        open,
        model,
        stage,
        { layer, made, feeds, batch, classes: first.classes, target },
        options,
      );
  }
  const raw = made.map!;
  return {
    layer,
    scores: first.scores,
    classes: first.classes,
    raw,
    map: await finished(open, model, raw, feeds[input]!, input, options),
  };
}

type Open = (graph: Graph) => Promise<Session>;

/** The clean forward pass with the leading nodes: activations, target, whatever the method needs first. */
async function firstStage(
  open: Open,
  model: Model,
  method: Method,
  feeds: Readonly<Record<string, Tensor>>,
  target: Target,
  options: StagedOptions,
) {
  const base = groundwork(model, { ...options, keep: options.layers ?? [] });
  const { op } = base;
  const [layer] = chooseLayers(base, options.layers);
  const seeded = seedTarget(base, target, 0);
  const needsGradients = method.needs.includes("gradients");
  const [dA] = needsGradients ? gradient(op, rootsOf(op, seeded), [layer!.tensor]) : [];
  const context = contextAt(base, layer, dA);
  const lead = method.stages[0]!;
  const named: Record<string, Value> = {
    activations: context.activations,
    ...(needsGradients ? { gradients: context.gradients } : {}),
    input: context.input,
    layer: layer!.tensor,
    ...(lead.kind === "nodes" ? lead.build(context) : {}),
  };
  const outputs = Object.entries(named).map(
    ([name, value]) => [name, publish(op, value, `camkit/made.${name}`)] as const,
  );
  const scores = publish(op, seeded.scores, "camkit/score.0");
  const winners = seeded.winners && publish(op, seeded.winners, "camkit/class.0");
  const graph = seal(op, [scores, ...(winners ? [winners] : []), ...outputs.map(([, value]) => value)]);
  const n = feeds[base.input]?.shape[0];
  if (n === undefined) throw new InputError(`input "${base.input}" was not given`);
  const results = await using(open(graph), (session) => session.run({ ...feeds, ...seeded.feeds(target, n) }));
  const made = Object.fromEntries(outputs.map(([name, value]) => [name, results[value]!]));
  return {
    layer: layer!,
    input: base.input,
    first: {
      made,
      scores: numbersIn(results[scores]!),
      classes: winners === undefined ? undefined : numbersIn(results[winners]!),
    },
  };
}

/** Nodes over tensors that are there already: a small graph of its own. */
async function runNodes(open: Open, model: Model, stage: NodesStage, made: Readonly<Record<string, Tensor>>) {
  const op = new Builder(emptyGraph("stage", model.graph.opsets));
  const context = contextOver(op, made);
  const results = Object.entries(stage.build(context)).map(
    ([name, value]) => [name, publish(op, value, `camkit/made.${name}`)] as const,
  );
  const graph = seal(
    op,
    results.map(([, value]) => value),
  );
  graph.inputs = graph.inputs.filter((info) => readsInput(graph, info.name));
  const feeds = Object.fromEntries(
    graph.inputs.map((info) => [info.name, made[info.name.replace("camkit/made.in.", "")]!]),
  );
  const out = await using(open(graph), (session) => session.run(feeds));
  return Object.fromEntries(results.map(([name, value]) => [name, out[value]!]));
}

type Variants = {
  layer: Layer;
  made: Readonly<Record<string, Tensor>>;
  feeds: Readonly<Record<string, Tensor>>;
  batch: number;
  classes: readonly number[] | undefined;
  target: Target;
};

/** One score per entry of `over`, sample by sample, in batches as large as keeps a run short. */
async function runBatched(
  open: Open,
  model: Model,
  stage: BatchedStage,
  given: Variants,
  options: StagedOptions,
): Promise<Tensor> {
  const { graph, seeded, input } = variantGraph(model, stage, given, options);
  const over = given.made[stage.over]!;
  const count = over.shape[1]!;
  const declared = model.graph.inputs.find((info) => info.name === input)?.shape?.[0];
  const fixed = typeof declared === "number" && stage.from === "input" ? declared : undefined;
  const scores = new Float32Array(given.batch * count);
  await using(open(graph), async (session) => {
    let size = fixed ?? 1;
    for (let sample = 0; sample < given.batch; sample++) {
      const target: Target =
        given.classes && given.target.kind === "auto" ? { kind: "class", index: given.classes[sample]! } : given.target;
      const entries = rowOf(over, sample);
      for (let from = 0; from < count; ) {
        if (options.signal?.aborted) throw new AbortedError();
        // A fixed batch is filled up from the front; the surplus scores are dropped.
        const take = Math.min(size, count - from);
        const slice = rows(entries, from, take, fixed ?? take);
        const start = performance.now();
        const others = Object.fromEntries(
          Object.entries(given.feeds).flatMap(([name, tensor]) =>
            session.inputs.includes(name) ? [[name, tiled(rowOf(tensor, sample), fixed ?? take)]] : [],
          ),
        );
        const made = Object.fromEntries(
          session.inputs
            .filter((name) => name.startsWith(madeInput))
            .map((name) => [name, batchOfOne(rowOf(given.made[name.slice(madeInput.length)]!, sample))]),
        );
        const out = await session.run({
          ...others,
          ...made,
          [sliceInput]: slice,
          ...seeded.feeds(target, fixed ?? take),
        });
        scores.set(numbersIn(out["camkit/score.0"]!).slice(0, take), sample * count + from);
        from += take;
        options.onProgress?.(sample * count + from, given.batch * count);
        if (fixed === undefined)
          size = Math.max(
            1,
            Math.min(largestBatch, Math.floor((take * runMs) / Math.max(1, performance.now() - start))),
          );
      }
    }
  });
  return { dtype: "float32", shape: [given.batch, count], data: scores };
}

const sliceInput = "camkit/slice";
const madeInput = "camkit/made.in.";

/** The model with its input, or its layer, replaced by the variants. */
function variantGraph(model: Model, stage: BatchedStage, given: Variants, options: StagedOptions) {
  const base = groundwork(model, { ...options, keep: [given.layer.tensor] });
  const { op } = base;
  const context = contextOver(op, given.made, 1);
  const over = given.made[stage.over]!;
  addInput(op, sliceInput, over.dtype, ["variants", ...over.shape.slice(2)]);
  const laid = stage.variants(context, sliceInput);
  const replaced = stage.from === "input" ? base.input : given.layer.tensor;
  const axes = stage.from === "input" ? base.axes.get(base.input) : given.layer.axes;
  const original = stage.from === "input" ? "" : `${madeInput}layer`;
  const native = axes ? fromChannelsFirst(op, laid, original, axes) : laid;
  op.graph.inputs = op.graph.inputs.filter((info) => info.name !== replaced);
  op.graph.nodes = op.graph.nodes.filter((node) => !node.outputs.includes(replaced));
  op.graph.nodes.push({
    opType: "Identity",
    domain: "",
    name: "camkit/variants",
    inputs: [native],
    outputs: [replaced],
    attributes: {},
  });
  const seeded = seedTarget(base, given.target.kind === "auto" ? { kind: "class", index: 0 } : given.target, 0);
  const graph = seal(op, [publish(op, seeded.scores, "camkit/score.0")]);
  graph.inputs = graph.inputs.filter((info) => readsInput(graph, info.name));
  return { graph, seeded, input: base.input };
}

/** A context whose tensors are graph inputs, named after what made them. */
function contextOver(op: Builder, made: Readonly<Record<string, Tensor>>, batch?: number): MethodContext {
  const names = Object.fromEntries(
    Object.entries(made).map(([name, tensor]) => {
      addInput(op, madeInput + name, tensor.dtype, [batch ?? tensor.shape[0]!, ...tensor.shape.slice(1)]);
      return [name, madeInput + name];
    }),
  );
  const rank = made.activations?.shape.length ?? 2;
  return {
    op,
    activations: names.activations ?? "",
    gradients: names.gradients ?? "",
    input: names.input ?? "",
    inputGradients: names.inputGradients ?? "",
    space: Array.from({ length: rank - 2 }, (_, i) => i + 2),
    made: names,
  };
}

function addInput(op: Builder, name: string, dtype: Tensor["dtype"], shape: readonly (number | string)[]): void {
  op.graph.inputs.push({ name, dtype, shape });
  op.facts.types.set(name, { dtype, shape });
}

function readsInput(graph: Graph, name: string): boolean {
  return graph.nodes.some((node) => node.inputs.includes(name));
}

/** The raw map finished like any other, at the size of the input that was fed. */
async function finished(
  open: Open,
  model: Model,
  raw: Tensor,
  fed: Tensor,
  input: Value,
  options: GroundworkOptions,
): Promise<Tensor> {
  const axes = groundwork(model, options).axes.get(input) ?? [];
  const size = axes.flatMap((axis, i) => (isSpace(axis) ? [fed.shape[i]!] : []));
  const op = new Builder(emptyGraph("stage", model.graph.opsets));
  addInput(op, "raw", raw.dtype, raw.shape);
  const graph = seal(op, [publish(op, finishMap(op, "raw", op.ints(size)), "camkit/map.0")]);
  return (await using(open(graph), (session) => session.run({ raw })))["camkit/map.0"]!;
}

/** `take` rows of a tensor from row `from`, the first of them repeated until there are `size`. */
function rows(tensor: Tensor, from: number, take: number, size: number): Tensor {
  const stride = tensor.data.length / tensor.shape[0]!;
  const source = tensor.data as Float32Array;
  const data = new Float32Array(size * stride);
  data.set(source.subarray(from * stride, (from + take) * stride));
  for (let i = take; i < size; i++) data.copyWithin(i * stride, 0, stride);
  return { dtype: tensor.dtype, shape: [size, ...tensor.shape.slice(1)], data };
}

function batchOfOne(row: Tensor): Tensor {
  return { ...row, shape: [1, ...row.shape] };
}

function tiled(row: Tensor, times: number): Tensor {
  const source = row.data as TypedArray & { set(values: TypedArray, at: number): void };
  const data = new (source.constructor as new (length: number) => typeof source)(source.length * times);
  for (let i = 0; i < times; i++) data.set(source, i * source.length);
  return { dtype: row.dtype, shape: [times, ...row.shape], data };
}
