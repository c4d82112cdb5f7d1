import { InputError } from "../errors.ts";
import type { Scorer } from "../metrics/metric.ts";
import type { Model } from "../model/model.ts";
import type { OpenSession, SessionOptions } from "../runtime/runtime.ts";
import type { Target } from "../targets/parse.ts";
import { seedTarget } from "../targets/seed.ts";
import { numbersIn, type Tensor } from "../tensor.ts";
import { isSpace } from "./axis.ts";
import { type GroundworkOptions, groundwork, publish, seal } from "./plan.ts";
import { activationOf, predictionsOf } from "./predictions.ts";

export type ScorerOptions = SessionOptions & Pick<GroundworkOptions, "input" | "output">;

/** An open scorer; close it when done. */
export type OpenScorer = Scorer & {
  /** The axes of the input that the map lies over. */
  readonly space: readonly number[];
  close(): Promise<void>;
};

/** Elements of one run's input: 16 MB of float32. */
const elementsOfARun = 2 ** 22;
const largestBatch = 32;

/**
 * The untouched model as a function from batches of its (main) input to the target's score: the probability of a class where the
 * graph or the manifest says how scores become one, else the scalar that the target is. One session, any number of runs.
 *
 * The target has to be settled: what wins may change when the input is changed. `like` is an input, for its size.
 * Throws what opening throws, TargetError.
 */
export async function createScorer(
  openSession: OpenSession,
  model: Model,
  target: Exclude<Target, { kind: "auto" }>,
  like: Tensor,
  options: ScorerOptions = {},
): Promise<OpenScorer> {
  const base = groundwork(model, options);
  const seeded = seedTarget(base, target, 0);
  const scores = publish(base.op, seeded.scores, "camkit/score.0");
  const info = model.graph.inputs.find(({ name }) => name === base.input)!;
  const activation = activationOf(base.squashedBy, model, options.output ?? base.outputs[0]!);
  const { logits, classAxis } = base;
  const isClass = target.kind === "class" && activation !== undefined && singleAnswer(base.op.dims(logits), classAxis);
  const space = (base.axes.get(base.input) ?? []).flatMap((axis, i) => (isSpace(axis) ? [i] : []));
  const session = await openSession(seal(base.op, [logits, scores]), options);
  const fixed = typeof info.shape?.[0] === "number" ? info.shape[0] : undefined;
  const roomFor = Math.max(1, Math.min(largestBatch, Math.floor(elementsOfARun / (like.data.length / like.shape[0]!))));
  return {
    space,
    batch: fixed ?? roomFor,
    quantity: isClass ? "probability" : "score",
    score: async (inputs) => {
      const n = inputs.shape[0]!;
      const fed = fixed === undefined ? inputs : filledUp(inputs, fixed);
      const size = fed.shape[0]!;
      const out = await session.run({ [base.input]: fed, ...seeded.feeds(target, size) });
      if (!isClass) return numbersIn(out[scores]!).slice(0, n);
      return Array.from({ length: n }, (_, sample) => {
        const all = predictionsOf(out[logits]!, classAxis, sample, activation, []);
        return all.find((one) => one.class === target.index)!.probability!;
      });
    },
    close: () => session.close(),
  };
}

/** Whether every axis but batch and class has one position. */
function singleAnswer(dims: readonly unknown[] | undefined, classAxis: number): boolean {
  return dims?.every((dim, axis) => axis === 0 || axis === classAxis || dim === 1) ?? false;
}

/** A model of a fixed batch gets zeros for what isn't asked. */
function filledUp(inputs: Tensor, size: number): Tensor {
  const n = inputs.shape[0]!;
  if (n > size) throw new InputError(`${n} inputs for a model whose batch is ${size}`);
  const data = new Float32Array((inputs.data.length / n) * size);
  data.set(inputs.data as Float32Array);
  return { dtype: inputs.dtype, shape: [size, ...inputs.shape.slice(1)], data };
}
