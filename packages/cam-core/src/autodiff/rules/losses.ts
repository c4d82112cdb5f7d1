import type { Value } from "../../graph/builder.ts";
import { int64 } from "../../tensor.ts";
import { derived } from "../derived.ts";
import { defineRules, type VjpContext } from "../rule.ts";

/**
 * The losses of ONNX: -weight[t] · log p[t] for the class t of each element, 0 where t is to be ignored; then the sum, or the sum
 * divided by that of the weights that counted. log p [N, C, ...], classes [N, ...].
 */
function negativeLogLikelihood(context: VjpContext, log: Value, classes: Value, weight: Value | undefined): Value {
  const { op, node, int, string } = context;
  const ignores = node.attributes.ignore_index !== undefined;
  const kept = ignores ? op.not(op.equal(classes, int("ignore_index", 0))) : undefined;
  const chosen = kept ? op.where(kept, classes, 0) : classes;
  const at = op.squeeze(op.gatherElements(log, op.unsqueeze(chosen, [1]), 1), [1]);
  const own = weight ? op.gather(weight, chosen) : op.fillLike(at, 1);
  const counted = kept ? op.where(kept, own, 0) : own;
  const losses = op.neg(op.mul(at, counted));
  const reduction = string("reduction", "mean");
  if (reduction === "none") return losses;
  const sum = (value: Value) => op.reduceSum(value, { axes: "all", keepdims: false });
  return reduction === "sum" ? sum(losses) : op.div(sum(losses), sum(counted));
}

export const losses = defineRules({
  NegativeLogLikelihoodLoss: {
    kind: "smooth", // in the weights, by which the mean is divided
    vjp: (context) =>
      derived(context, ([log, classes, weight]) => [
        negativeLogLikelihood(context, log!, classes!, weight || undefined),
      ]),
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), int64([3], [1, 0, 3])] },
      {
        inputs: [rng.normal([2, 4, 3]), int64([2, 3], [1, -1, 3, 2, 0, -1]), rng.uniform(0.5, 2, [4])],
        attributes: { ignore_index: -1 },
      },
      { inputs: [rng.normal([2, 4, 2]), int64([2, 2], [1, 3, 2, 0])], attributes: { reduction: "none" } },
      {
        inputs: [rng.normal([3, 4]), int64([3], [1, 0, 3]), rng.uniform(0.5, 2, [4])],
        attributes: { reduction: "sum" },
      },
    ],
  },
  // The second output is log p.
  SoftmaxCrossEntropyLoss: {
    kind: "smooth",
    vjp: (context) =>
      derived(context, ([scores, classes, weight]) => {
        const log = context.op.logSoftmax(scores!, 1);
        return [negativeLogLikelihood(context, log, classes!, weight || undefined), log];
      }),
    sample: (rng) => [
      { inputs: [rng.normal([3, 4]), int64([3], [1, 0, 3])] },
      {
        inputs: [rng.normal([2, 4, 3]), int64([2, 3], [1, 0, 3, 2, 0, 0]), rng.uniform(0.5, 2, [4])],
        attributes: { ignore_index: 0 },
      },
      { inputs: [rng.normal([3, 4]), int64([3], [1, 0, 3])], outputs: 2, output: 1 },
      { inputs: [rng.normal([2, 4, 2]), int64([2, 2], [1, 3, 2, 0])], attributes: { reduction: "none" } },
    ],
  },
});
