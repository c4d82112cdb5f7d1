import { type Builder, float32, type Value } from "@camkit/cam-core";
import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { type Compared, defineLoss } from "./define-loss.ts";

/**
 * Cross entropy of a softmax over classes, for logits [N, C, ...space]:
 *
 *   l[n] = -(1 - ε) · w[t] · log p[n, t]  -  ε / C · Σ_c w[c] · log p[n, c]        loss = Σ_n l[n] / Σ_n w[t[n]]
 *
 * Labels are class numbers, int64 [N, ...space], or soft: float [N, C, ...space], for which l[n] = -Σ_c w[c] · t'[n, c] ·
 * log p[n, c] with t' = (1 - ε) · t + ε / C, and the mean is over N and space alone.
 * Source: torch.nn.CrossEntropyLoss, PyTorch 2.13; ε: Szegedy et al. 2015, arXiv:1512.00567, section 7.
 */
export const crossEntropy = defineLoss({
  kind: "crossEntropy",
  summary: "classes that exclude each other, from logits",
  options: {
    labelSmoothing: z.number().min(0).lt(1).default(0),
    classWeights: z.array(z.number().nonnegative()).exactOptional(),
  },
  build: (compared, { labelSmoothing, classWeights }) => {
    const { op, y, t } = compared;
    const classes = classesOf(compared);
    const w = classWeights && weightsOf(compared, classWeights, classes);
    const log = op.logSoftmax(y, 1);
    const weighted = (value: Value) => (w ? op.mul(value, w) : value);
    const total = (value: Value) => op.reduceSum(value, { axes: "all", keepdims: false });
    if (isSoft(compared)) {
      const target = op.add(op.mul(t, 1 - labelSmoothing), labelSmoothing / classes);
      const perSample = op.reduceSum(weighted(op.mul(target, log)), { axes: [1], keepdims: false });
      return op.neg(op.reduceMean(perSample, { axes: "all", keepdims: false }));
    }
    const chosen = weighted(oneHot(op, t, classes)); // [N, C, ...space]: w[t] at the label
    const count = w ? total(chosen) : op.cast(countOf(op, t), op.dtype(y));
    const sum = op.mul(total(op.mul(chosen, log)), 1 - labelSmoothing);
    const spread = labelSmoothing === 0 ? 0 : op.mul(total(weighted(log)), labelSmoothing / classes);
    return op.neg(op.div(op.add(sum, spread), count));
  },
});

/** The classes of logits [N, C, ...]. */
export function classesOf({ dims, refuse }: Compared): number {
  const classes = dims[1];
  if (dims.length >= 2 && typeof classes === "number" && classes >= 2) return classes;
  throw refuse(
    `its output is ${shapeText(dims)}; it wants [n, classes, ...] with two classes or more`,
    "One logit for yes or no: use the loss `binary`.",
  );
}

/** Whether labels are soft, of the logits' own shape; class numbers otherwise. Throws NetworkError for anything else. */
export function isSoft({ op, t, dims, labelDims, refuse }: Compared): boolean {
  const integers = /^u?int/.test(op.dtype(t));
  if (!integers && labelDims.length === dims.length && labelDims[1] === dims[1]) return true;
  if (integers && labelDims.length === dims.length - 1) return false;
  throw refuse(
    `its labels are ${op.dtype(t)} ${shapeText(labelDims)}, its output is ${shapeText(dims)}`,
    "Give class numbers (int64) without the axis of classes, or probabilities (float32) of the output's shape.",
  );
}

function weightsOf({ op, dims, refuse }: Compared, weights: readonly number[], classes: number): Value {
  if (weights.length !== classes) throw refuse(`classWeights: ${weights.length} weights for ${classes} classes`);
  return op.constant(float32([classes, ...dims.slice(2).map(() => 1)], weights));
}

/** 1 at each label, [N, C, ...space], for class numbers [N, ...space]. */
export function oneHot(op: Builder, labels: Value, classes: number): Value {
  const rank = op.rank(labels);
  const last = op.oneHot(op.cast(labels, "int64"), op.scalar(classes, "int64"), "float32"); // [N, ...space, C]
  return op.transpose(last, [0, rank, ...Array.from({ length: rank - 1 }, (_, i) => i + 1)]);
}

/** How many elements a value has, as a scalar. */
export function countOf(op: Builder, value: Value): Value {
  const axes = Array.from({ length: op.rank(value) }, (_, axis) => axis);
  return op.reshape(op.count(value, axes), []);
}
