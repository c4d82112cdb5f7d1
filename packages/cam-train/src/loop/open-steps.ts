import { type Feeder, openFeeder } from "../data/feeder.ts";
import { withBatch } from "../network/with-batch.ts";
import { type Layout, layOut } from "../step/layout.ts";
import { planStep, type StepPlan } from "../step/plan.ts";
import { openStepper, type Stepper } from "../step/stepper.ts";
import type { Recipe } from "./train.ts";

/** A recipe made ready to step: its batches, its graph, where its weights lie, and the sessions. */
export type Steps = {
  readonly feeder: Feeder;
  readonly plan: StepPlan;
  readonly layout: Layout;
  readonly stepper: Stepper;
  close(): Promise<void>;
};

/** Throws what data, network and loss throw where they don't fit each other. */
export async function openSteps(
  recipe: Recipe,
  { workers = 1, threads }: { readonly workers?: number; readonly threads?: number | undefined },
): Promise<Steps> {
  const { batch, seed, trained, optimiser, averaging, clip } = recipe;
  const feeder = openFeeder({
    dataset: recipe.train.dataset,
    ...(recipe.train.indices ? { indices: recipe.train.indices } : {}),
    ...{ batch, seed, workers, shuffle: true, dropLast: true },
    ...(recipe.augment ? { augment: recipe.augment } : {}),
    ...(recipe.mix ? { mix: recipe.mix } : {}),
  });
  try {
    const plan = planStep({
      // A file that fixes its batch elsewhere than in its input, too, is rewritten.
      graph: typeof recipe.graph.inputs[0]?.shape?.[0] === "number" ? withBatch(recipe.graph, batch) : recipe.graph,
      ...{ batch, trained, input: recipe.input, fields: feeder.fields },
      ...{ statistics: recipe.statistics, loss: recipe.loss },
    });
    const layout = layOut(recipe.graph, trained, recipe.decay, recipe.groups);
    const accumulates = (recipe.accumulate ?? 1) > 1;
    const stepper = await openStepper({ plan, layout, optimiser, averaging, clip, accumulates, threads }, recipe.graph);
    const close = async () => {
      await stepper.close();
      await feeder.close();
    };
    return { feeder, plan, layout, stepper, close };
  } catch (error) {
    await feeder.close();
    throw error;
  }
}
