import {
  AbortedError,
  type DType,
  type Graph,
  type InputManifest,
  openSession,
  type Tensor,
  zeros,
} from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { openFeeder } from "../data/feeder.ts";
import { NetworkError } from "../errors.ts";
import { pairs, sigmoids, softmaxRows } from "../metrics/logits.ts";
import { classScores, multiLabelScores, regressionScores, type Scores } from "../metrics/scores.ts";
import { type Loss, planEvaluation } from "../step/plan.ts";

export type EvaluateOptions = {
  /** Inference form. */
  readonly graph: Graph;
  readonly dataset: Dataset;
  /** Which samples. Default: all. */
  readonly indices?: readonly number[];
  /** How pictures become the network's input. */
  readonly input?: InputManifest | undefined;
  /** What training makes small; without it no loss is told. */
  readonly loss?: Loss;
  /** The output that is judged. Default: the first. */
  readonly output?: string;
  /** Whether that output has been through its softmax or sigmoid. Default: logits. */
  readonly kind?: "logits" | "probabilities";
  readonly batch?: number;
  readonly workers?: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
};

export type Evaluation = {
  readonly loss?: number;
  readonly scores: Scores;
  /** What the network said: [samples, outputs], in the order of `indices`. */
  readonly outputs: Float32Array;
  readonly labels: readonly (number | readonly number[])[];
};

/** Runs a network over data and scores it. Throws NetworkError where outputs and labels don't fit, AbortedError. */
export async function evaluateGraph(options: EvaluateOptions): Promise<Evaluation> {
  const { graph, dataset, input, loss, signal, threads } = options;
  const indices = options.indices ?? Array.from({ length: dataset.count }, (_, i) => i);
  const plan = planEvaluation({ graph, input, fields: dataset.fields, ...(loss ? { loss } : {}) });
  const output = options.output ?? Object.keys(plan.outputs)[0]!;
  if (!plan.outputs[output])
    throw new NetworkError(`the network has no output "${output}"`, {
      hint: `Outputs: ${Object.keys(plan.outputs).join(", ")}.`,
    });
  const fixed = plan.graph.inputs[0]?.shape?.[0];
  const batch = typeof fixed === "number" ? fixed : Math.min(options.batch ?? 128, indices.length);
  const session = await openSession(plan.graph, { threads });
  const said: Float32Array[] = [];
  const labels: (number | readonly number[])[] = [];
  const lost = { sum: 0, count: 0 };
  const workers = options.workers ?? 1;
  const feeder = openFeeder({ dataset, indices, batch, workers, ...(signal ? { signal } : {}) });
  try {
    for (let step = 0, done = 0; step < feeder.stepsPerEpoch; step++) {
      if (signal?.aborted) throw new AbortedError();
      const { fields, indices: taken } = await feeder.batch(0, step);
      const isFull = typeof fixed !== "number" || taken.length === fixed;
      const feeds = Object.fromEntries(
        Object.entries(plan.feeds).flatMap(([field, name]) =>
          fields[field] ? [[name, isFull ? fields[field] : filledUp(fields[field], batch)]] : [],
        ),
      ) as Record<string, Tensor>;
      const wanted = [plan.outputs[output]!, ...(plan.loss ? [plan.loss] : [])];
      const found = await session.run(feeds, wanted);
      const answers = found[plan.outputs[output]!]!.data as Float32Array;
      said.push(isFull ? answers : answers.subarray(0, (answers.length / batch) * taken.length));
      labels.push(...labelsIn(fields.label!, dataset));
      // A batch that was filled up has no loss of its own; it counts where there is no other.
      if (plan.loss && (isFull || lost.count === 0)) {
        lost.sum += Number((found[plan.loss]!.data as Float32Array)[0]) * taken.length;
        lost.count += taken.length;
      }
      done += taken.length;
      options.onProgress?.(done, indices.length);
    }
  } finally {
    await feeder.close();
    await session.close();
  }
  const outputs = joined(said);
  return {
    ...(plan.loss ? { loss: lost.sum / lost.count } : {}),
    scores: scoresOf(dataset, outputs, labels, options.kind ?? "logits"),
    outputs,
    labels,
  };
}

/** Labels of a batch; where classes are judged each alone, class numbers become 0 or 1 for each. */
function labelsIn({ shape, data }: Tensor, { labelKind, classes = [] }: Dataset): (number | readonly number[])[] {
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
  const [count = 0, width] = shape;
  if (width !== undefined) return Array.from({ length: count }, (_, i) => numbers.slice(i * width, (i + 1) * width));
  return labelKind === "multi-label" ? numbers.map((label) => classes.map((_, k) => Number(k === label))) : numbers;
}

/** A batch of a fixed size from fewer samples: the last one again and again. */
function filledUp({ dtype, shape, data }: Tensor, batch: number): Tensor {
  const [count = 0, ...rest] = shape;
  const full = zeros(dtype as Exclude<DType, "string">, [batch, ...rest]);
  const size = data.length / count;
  const into = full.data as Uint8Array;
  into.set(data as Uint8Array);
  for (let i = count; i < batch; i++) into.set((data as Uint8Array).subarray(data.length - size), i * size);
  return full;
}

/** What outputs mean, by the kind of the labels: classes through a softmax (one output: a sigmoid), labels through sigmoids. */
export function scoresOf(
  dataset: Pick<Dataset, "classes" | "labelKind">,
  outputs: Float32Array,
  labels: readonly (number | readonly number[])[],
  kind: "logits" | "probabilities",
): Scores {
  const width = outputs.length / labels.length;
  const flat = labels.flat();
  const names = dataset.classes ?? Array.from({ length: Math.max(width, 2) }, (_, i) => `${i}`);
  const mustBe = (expected: readonly number[]) => {
    if (!expected.includes(width))
      throw new NetworkError(`the network has ${width} outputs, the data ${names.length} classes`, {
        hint: "Replace the network's head, or name the data's classes in the network's order.",
      });
  };
  if (dataset.labelKind === "values")
    return regressionScores({ predictions: outputs, targets: flat, outputs: names.slice(0, width) });
  if (dataset.labelKind === "multi-label") {
    mustBe([names.length]);
    return multiLabelScores({
      probabilities: kind === "logits" ? sigmoids(outputs) : outputs,
      labels: flat,
      classes: names,
    });
  }
  mustBe(names.length === 2 ? [1, 2] : [names.length]);
  if (width > 1)
    return classScores({
      probabilities: kind === "logits" ? softmaxRows(outputs, width) : outputs,
      labels: flat,
      classes: names,
    });
  // One output says how much speaks for the second class.
  const probabilities =
    kind === "logits" ? softmaxRows(pairs(outputs), 2) : Array.from(outputs).flatMap((p) => [1 - p, p]);
  return classScores({ probabilities, labels: flat, classes: names });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
