import {
  AbortedError,
  constantBaseline,
  createScorer,
  deletion,
  insertion,
  type Model,
  type PerturbationMeasured,
  type RandomisationMeasured,
  randomisation,
  type Scorer,
  type Tensor,
} from "@camkit/cam-core";
import type { Faithfulness } from "../report/index.ts";
import { activationIn, predictionsIn } from "./assemble.ts";

/** What can be measured about how a map and its model hang together. */
export const faithfulnessNames = ["deletion", "insertion", "randomisation"] as const;
export type FaithfulnessName = (typeof faithfulnessNames)[number];

/** Points of a curve, orders of chance beside it, stages of weights drawn anew: a scan's forward pass takes a tenth of a second. */
const steps = 20;
const randomSeeds = [0, 1];
const randomisationStages = 5;

export type FaithfulnessOptions = {
  readonly names: readonly FaithfulnessName[];
  readonly model: Model;
  readonly classIndex: number;
  /** The network's input [1, C, …space], and the map at its resolution [...space]. */
  readonly input: Tensor;
  readonly map: Tensor;
  /** What stands where the input is removed, in the input's own values and in words. */
  readonly baseline: { readonly value: number; readonly words: string };
  /** The same explanation over a changed model: its map, of `map`'s shape. */
  readonly explain: (model: Model) => Promise<Tensor>;
  /** Scores one input; default: the model as it is. For networks that take an input in windows. */
  readonly score?: ((input: Tensor) => Promise<Float32Array>) | undefined;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
};

/** Measures what is asked for, one after the other. Throws AbortedError and what the runs throw. */
export async function measureFaithfulness(options: FaithfulnessOptions): Promise<Faithfulness> {
  const { names, model, classIndex, input, map, baseline, signal, onProgress } = options;
  const space = input.shape.map((_, axis) => axis).slice(2);
  const found: {
    deletion?: PerturbationMeasured;
    insertion?: PerturbationMeasured;
    randomisation?: RandomisationMeasured;
  } = {};
  const counted = (name: FaithfulnessName) => {
    const at = names.indexOf(name);
    return { signal, onProgress: (done: number, total: number) => onProgress?.(at + done / total, names.length) };
  };
  const perturbations = names.filter((name) => name !== "randomisation");
  if (perturbations.length > 0) {
    const scorer = await openScorer(options);
    try {
      const given = { map, input: { tensor: input, space }, scorer };
      const removed = constantBaseline(input, baseline.value);
      for (const name of perturbations) {
        const metric = name === "deletion" ? deletion : insertion;
        found[name] = await metric.measure(given, { baseline: removed, steps, randomSeeds, ...counted(name) });
      }
    } finally {
      await scorer.close();
    }
  }
  if (names.includes("randomisation"))
    found.randomisation = await randomisation.measure(
      { map, model, explain: options.explain },
      { stages: randomisationStages, ...counted("randomisation") },
    );
  if (signal?.aborted) throw new AbortedError();
  return { ...found, baseline: baseline.words };

  async function openScorer({
    score,
    device,
    threads,
  }: FaithfulnessOptions): Promise<Scorer & { close(): Promise<void> }> {
    if (score === undefined)
      return createScorer(model, { kind: "class", index: classIndex }, input, {
        ...(device === undefined ? {} : { device }),
        ...(threads === undefined ? {} : { threads }),
      });
    const asPrediction = (logits: Float32Array) =>
      predictionsIn(model, logits).find((prediction) => prediction.class === classIndex)!;
    return {
      batch: 1,
      quantity: activationIn(model) === undefined ? "score" : "probability",
      score: async (one) => {
        const { probability, score: logit } = asPrediction(await score(one));
        return [probability ?? logit];
      },
      close: async () => {},
    };
  }
}
