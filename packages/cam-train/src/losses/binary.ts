import { type Builder, float32, type Value } from "@camkit/cam-core";
import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { type Compared, defineLoss } from "./define-loss.ts";

/**
 * Binary cross entropy from logits, each output by itself (several labels may hold at once):
 *
 *   l = p · t · softplus(-y) + (1 - t) · softplus(y)        softplus(y) = log(1 + eʸ), which can't overflow
 *
 * the mean over all. p, `positiveWeight`, is one number or one per output. Labels are 0 or 1 (or between): of the output's
 * shape, or [N] for an output [N, 1]. Source: torch.nn.BCEWithLogitsLoss, PyTorch 2.13.
 */
export const binary = defineLoss({
  kind: "binary",
  summary: "yes or no for each output, from logits",
  options: { positiveWeight: z.union([z.number().positive(), z.array(z.number().positive()).min(1)]).default(1) },
  build: (compared, { positiveWeight }) => {
    const { op, y } = compared;
    const t = labelsLike(compared);
    const p = typeof positiveWeight === "number" ? positiveWeight : perOutput(compared, positiveWeight);
    return binaryCrossEntropy(op, y, t, p);
  },
});

/** The mean of l over all elements; `t` of the shape of `y`, p a number or of a shape that fits. */
export function binaryCrossEntropy(op: Builder, y: Value, t: Value, p: Value | number): Value {
  const yes = op.mul(op.mul(t, op.softplus(op.neg(y))), p);
  const no = op.mul(op.sub(1, t), op.softplus(y));
  return op.reduceMean(op.add(yes, no), { axes: "all", keepdims: false });
}

/** Labels in the output's shape and type; [N] fits [N, 1]. */
export function labelsLike({ op, y, t, dims, labelDims, refuse }: Compared): Value {
  const labels = op.cast(t, op.dtype(y));
  if (labelDims.length === dims.length && labelDims.every((dim, i) => dim === dims[i] || i === 0)) return labels;
  const rest = dims.slice(1);
  if (labelDims.length === 1 && rest.every((dim) => dim === 1)) return column(op, labels, dims.length);
  throw refuse(`its labels are ${shapeText(labelDims)}, its output is ${shapeText(dims)}; they must fit each other`);
}

function column(op: Builder, labels: Value, rank: number): Value {
  return op.unsqueeze(
    labels,
    Array.from({ length: rank - 1 }, (_, i) => i + 1),
  );
}

function perOutput({ op, dims, refuse }: Compared, weights: readonly number[]): Value {
  const outputs = dims[1];
  if (weights.length !== outputs)
    throw refuse(`positiveWeight: ${weights.length} weights for the ${outputs} outputs of ${shapeText(dims)}`);
  const shape = [weights.length, ...dims.slice(2).map(() => 1)];
  return op.constant(float32(shape, weights));
}
