import type { Model } from "../model/model.ts";
import type { Tensor } from "../tensor.ts";

/** What a metric may ask for. All of it belongs to one sample and one target. */
export type Evidence = {
  /** The map at the input's resolution: [...space], or [1, ...space]. Signed maps are taken as they are. */
  readonly map: Tensor;
  /** What the model was fed, and which of its axes the map lies over: [1, C, H, W] and [2, 3] for a picture. */
  readonly input: { readonly tensor: Tensor; readonly space: readonly number[] };
  /** The untouched model as a function from inputs to the target's score. */
  readonly scorer: Scorer;
  readonly model: Model;
  /** The same method, layer, target class and input over a changed model: its map, of `map`'s shape. */
  readonly explain: (model: Model) => Promise<Tensor>;
};

/** Runs a model on a batch of inputs and tells the target's score of each. */
export type Scorer = {
  readonly score: (inputs: Tensor) => Promise<readonly number[]>;
  /** Inputs of one run, at most. */
  readonly batch: number;
  /** What the scores are. Ranges of metrics are stated for probabilities. */
  readonly quantity: "probability" | "score";
};

/** What any metric tells. */
export type Measured = {
  /** NaN where the metric says nothing about this map; `reason` then says why. */
  readonly value: number;
  readonly reason?: string;
  /** What a reader must know before trusting the value. */
  readonly warnings: readonly string[];
};

/** What all measurements that take long have. */
export type MeasureOptions = {
  /** Checked between runs. */
  readonly signal?: AbortSignal | undefined;
  /** After each run: how many of the model's evaluations are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
};

export type Metric<Needs extends keyof Evidence, Options, Result extends Measured> = {
  readonly name: string;
  /** For tables and axes. */
  readonly title: string;
  readonly better: "higher" | "lower";
  readonly range: readonly [low: number, high: number];
  /** Paper. */
  readonly source: string;
  readonly needs: readonly Needs[];
  readonly measure: (given: Pick<Evidence, Needs>, options: Options) => Promise<Result>;
};

/** A metric: what it needs of the explanation, what a bigger number means, and how it is measured. */
export function defineMetric<Needs extends keyof Evidence, Options, Result extends Measured>(
  metric: Metric<Needs, Options, Result>,
): Metric<Needs, Options, Result> {
  return metric;
}
