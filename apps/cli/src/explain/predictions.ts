import type { ModelFile, Tensor } from "@camkit/cam-core";

/** One class of a prediction. `score` is what the graph gives before a final softmax or sigmoid. */
export type Prediction = {
  readonly class: number;
  readonly label?: string;
  readonly score: number;
  readonly probability?: number;
};

/** How scores become probabilities; undefined where neither the graph nor the manifest says. */
export type Activation = "softmax" | "sigmoid" | "identity" | undefined;

/** From the operator that the graph ends with, else from the manifest. */
export function activationOf(squashedBy: string | undefined, model: ModelFile): Activation {
  if (squashedBy !== undefined) return squashedBy === "Sigmoid" ? "sigmoid" : "softmax";
  const output = model.manifest?.output;
  return output?.kind === "probabilities" ? "identity" : output?.activation;
}

/** All classes of one sample in the order of their scores; none for dense outputs, which have no single answer. */
export function predictionsOf(
  logits: Tensor,
  sample: number,
  activation: Activation,
  labels: readonly string[],
): readonly Prediction[] {
  const [, classes = 1, ...rest] = logits.shape;
  if (rest.some((dim) => dim !== 1)) return [];
  const scores = Array.from({ length: classes }, (_, c) => Number(logits.data[sample * classes + c]));
  const probabilities = probabilitiesOf(scores, activation);
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
