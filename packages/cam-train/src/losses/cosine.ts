import type { Builder, Value } from "@camkit/cam-core";
import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { type Compared, defineLoss, valueNamed } from "./define-loss.ts";

/** Shorter vectors count as this long. */
const shortest = 1e-8;

/**
 * Vectors [N, D] that shall point the same way: the mean of 1 - cos(y, t), cos = y · t / (|y| · |t|).
 *
 * With `same`, a field [N] that is 1 for pairs that belong together and -1 (or 0) for others, those others add
 * max(0, cos - margin). Source: torch.nn.CosineEmbeddingLoss, PyTorch 2.13.
 */
export const cosine = defineLoss({
  kind: "cosine",
  summary: "vectors that shall point the same way",
  options: { same: z.string().exactOptional(), margin: z.number().min(-1).max(1).default(0) },
  build: (compared, { same, margin }) => {
    const { op, context, refuse } = compared;
    const [a, b] = unitVectors(compared);
    const cos = op.reduceSum(op.mul(a, b), { axes: [1], keepdims: false }); // [N]
    const apart = op.sub(1, cos);
    const mean = (value: Value) => op.reduceMean(value, { axes: "all", keepdims: false });
    if (same === undefined) return mean(apart);
    const pairs = op.greater(op.cast(valueNamed(context.fields, same, "field", refuse), op.dtype(cos)), 0);
    return mean(op.where(pairs, apart, op.relu(op.sub(cos, margin))));
  },
});

/** y and t [N, D], each row of length 1. */
export function unitVectors({ op, y, t, dims, labelDims, refuse }: Compared): [Value, Value] {
  if (dims.length !== 2 || labelDims.length !== 2 || dims[1] !== labelDims[1])
    throw refuse(`it compares ${shapeText(dims)} with ${shapeText(labelDims)}; it wants two of [n, features]`);
  return [unit(op, y), unit(op, t)];
}

function unit(op: Builder, rows: Value): Value {
  return op.div(rows, op.max(op.reduceL2(rows, { axes: [1] }), shortest));
}
