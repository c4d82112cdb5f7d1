import type { ShapeRule } from "../infer.ts";
import type { ShapeRules } from "./parts.ts";

/** A number for all elements, or one for each where nothing is summed; then log p. */
const loss: ShapeRule = (node) => {
  const each = node.string("reduction", "mean") === "none";
  return [
    { dtype: node.dtype(0), shape: each ? node.shape(1) : [] },
    { dtype: node.dtype(0), shape: node.shape(0) },
  ];
};

export const losses: ShapeRules = { NegativeLogLikelihoodLoss: loss, SoftmaxCrossEntropyLoss: loss };
