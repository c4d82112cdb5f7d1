import * as derivative from "../explain/derivative.ts";
import * as diagnosis from "../explain/diagnose.ts";
import * as explainer from "../explain/explainer.ts";
import * as scorer from "../explain/scorer.ts";
import * as staged from "../explain/staged.ts";
import type { OpenSession } from "./runtime.ts";
import { openSession } from "./session.ts";

/** What `explain/` does on any runtime, on ONNX Runtime for Node. */
function onNode<Rest extends readonly unknown[], Result>(
  work: (openSession: OpenSession, ...rest: Rest) => Result,
): (...rest: Rest) => Result {
  return (...rest) => work(openSession, ...rest);
}

/** Compiles a model with a method. Throws what planning and opening throw. */
export const createExplainer = onNode(explainer.createExplainer);

/** The gradient of a target with respect to any tensor, once and exactly: in float64 on the CPU. */
export const computeGradient = onNode(derivative.computeGradient);

/** The likely cause of a map that is nowhere positive. Runs the model once more. */
export const diagnose = onNode(diagnosis.diagnose);

/** The untouched model as a function from batches of its input to a target's score. Close it when done. */
export const createScorer = onNode(scorer.createScorer);

/** Runs a method that isn't one graph, stage after stage. One layer, one target. */
export const runStaged = onNode(staged.runStaged);
