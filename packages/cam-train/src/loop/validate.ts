import { metricNamed } from "../metrics/index.ts";
import { measure } from "../metrics/measure.ts";
import { inferenceForm } from "../network/inference-form.ts";
import type { Layout } from "../step/layout.ts";
import type { Stepper } from "../step/stepper.ts";
import { weightsOf } from "./checkpoint.ts";
import { evaluateGraph } from "./evaluate.ts";
import type { Part, Recipe, TrainOptions } from "./train.ts";

/** What a validation found: the loss, all metrics, and the number that is watched. */
export type Validation = {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly value: number;
};

/** Measures the weights as they would be deployed. Throws AbortedError. */
export async function validate(
  recipe: Recipe,
  { workers, threads, signal, onEvent }: TrainOptions,
  part: Part,
  layout: Layout,
  stepper: Stepper,
): Promise<Validation> {
  const { loss, scores } = await evaluateGraph({
    graph: inferenceForm(recipe.graph, weightsOf(layout, stepper.state)),
    input: recipe.input,
    ...part,
    loss: recipe.loss,
    // What a step has room for, a forward pass has.
    batch: recipe.batch,
    ...{ threads, signal },
    ...(workers === undefined ? {} : { workers }),
    onProgress: (done, total) => onEvent?.({ kind: "validating", done, total }),
  });
  const metrics = Object.fromEntries((await measure(scores)).metrics.map(({ name, value }) => [name, value]));
  const { monitor = "loss" } = recipe;
  return { loss: loss!, metrics, value: monitor === "loss" ? loss! : metricNamed(monitor).value(scores) };
}

type Watched = Pick<Validation, "value" | "loss">;

/** Whether a validation is better than the best so far: by what is watched; of equal ones the lower loss. */
export function isBetter(monitor: string | undefined, found: Watched, best: Watched | undefined): boolean {
  if (best === undefined) return true;
  if (Number.isNaN(found.value)) return false;
  if (Number.isNaN(best.value)) return true;
  if (found.value === best.value) return found.loss < best.loss;
  const lower = monitor === undefined || monitor === "loss" || metricNamed(monitor).better === "lower";
  return lower ? found.value < best.value : found.value > best.value;
}
