import { CamError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { openModel } from "../../model/model.ts";
import { checkGradient, type GradientOptions, type GradientResult } from "./gradients.ts";
import { CaseSkipped, type LoadedCase, loadCase } from "./one-case.ts";
import { compareOutputs, type OutputsResult } from "./outputs.ts";
import type { NodeCase } from "./read.ts";
import { checkShapes, type ShapesResult } from "./shapes.ts";

/** Everything that a case shows. Shapes and gradient are looked at where both files run. */
export type CaseResult = NodeCase & { outputs: OutputsResult; shapes?: ShapesResult; gradient?: GradientResult };

/** Outcomes that are defects, here or in a rule; all others are what they are for a reason that is counted. */
export function isFailure({ outputs, shapes, gradient }: CaseResult): boolean {
  return [outputs, shapes, gradient].some((result) => result?.outcome === "differs");
}

/** Opens a case with camkit and compares outputs, inferred shapes and gradients. */
export async function checkCase(one: NodeCase, options: GradientOptions = {}): Promise<CaseResult> {
  let loaded: LoadedCase;
  try {
    loaded = loadCase(one);
  } catch (error) {
    if (error instanceof CaseSkipped) return { ...one, outputs: { outcome: "not run", detail: error.message } };
    if (error instanceof CamError) return { ...one, outputs: { outcome: "camkit refuses it", detail: error.message } };
    throw error;
  }
  const opened = open(loaded);
  const { results, ...outputs } = await compareOutputs(loaded, opened);
  if (opened instanceof CamError || !results || outputs.outcome === "differs") return { ...one, outputs };
  const shapes = checkShapes(opened, loaded.sets[0]!.feeds, results[0]!);
  if (outputs.outcome === "random") return { ...one, outputs, shapes };
  return { ...one, outputs, shapes, gradient: await checkGradient(opened, loaded.sets, options) };
}

function open({ bytes }: LoadedCase): Graph | CamError {
  try {
    return openModel(bytes, { name: "the case" }).graph;
  } catch (error) {
    if (error instanceof CamError) return error;
    throw error;
  }
}
