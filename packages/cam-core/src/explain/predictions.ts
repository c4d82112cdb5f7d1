import type { Model } from "../model/model.ts";
import type { Tensor } from "../tensor.ts";

/** One class of a prediction. `score` is what the graph gives before a final softmax or sigmoid. */
export type Prediction = {
  readonly class: number;
  readonly label?: string;
  readonly score: number;
  readonly probability?: number;
};

/** How scores become probabilities; undefined where neither the graph nor the manifest says. */
export type Activation = "softmax" | "sigmoid" | "identity" | undefined;

/**
 * From the operator that the explained output ends with, else from the manifest, else from another output that is the
 * softmax or sigmoid of this one.
 */
export function activationOf(squashedBy: string | undefined, model: Model, output: string): Activation {
  if (squashedBy !== undefined) return activations[squashedBy];
  const stated = model.manifest?.output;
  if (stated) return stated.kind === "probabilities" ? "identity" : stated.activation;
  const outputs = model.graph.outputs.map(({ name }) => name);
  const beside = model.graph.nodes.find(
    (node) => activations[node.opType] && node.inputs[0] === output && outputs.includes(node.outputs[0] ?? ""),
  );
  return beside && activations[beside.opType];
}

const activations: Readonly<Record<string, Activation>> = {
  Softmax: "softmax",
  LogSoftmax: "softmax",
  Sigmoid: "sigmoid",
};

/**
 * All classes of one sample in the order of their scores; none for outputs that are laid out in space, which have no single
 * answer. `classAxis` is the axis of `logits` that counts classes. Scores are shown as they are, probabilities are those of
 * scores / temperature.
 */
export function predictionsOf(
  logits: Tensor,
  classAxis: number,
  sample: number,
  activation: Activation,
  labels: readonly string[],
  temperature = 1,
): readonly Prediction[] {
  const classes = logits.shape[classAxis] ?? 1;
  if (logits.shape.some((dim, axis) => axis !== 0 && axis !== classAxis && dim !== 1)) return [];
  const scores = Array.from({ length: classes }, (_, c) => Number(logits.data[sample * classes + c]));
  const probabilities = probabilitiesOf(
    scores.map((score) => score / temperature),
    activation,
  );
  const named = (index: number, score: number, probability: number | undefined): Prediction => ({
    class: index,
    ...(labels[index] === undefined ? {} : { label: labels[index] }),
    score,
    ...(probability === undefined ? {} : { probability }),
  });
  // One column speaks for class 1, and against it for class 0.
  if (classes === 1) {
    const [score, p] = [scores[0]!, probabilities?.[0]];
    const pair = [named(1, score, p), named(0, -score, p === undefined ? undefined : 1 - p)];
    return score >= 0 ? pair : pair.reverse();
  }
  return scores.map((score, i) => named(i, score, probabilities?.[i])).sort((a, b) => b.score - a.score);
}

function probabilitiesOf(scores: readonly number[], activation: Activation): number[] | undefined {
  if (activation === "identity") return [...scores];
  if (activation === "sigmoid") return scores.map((score) => 1 / (1 + Math.exp(-score)));
  if (activation !== "softmax") return undefined;
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
