import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { unitVectors } from "./cosine.ts";
import { defineLoss } from "./define-loss.ts";

/**
 * Contrast within the batch: row n of y [N, D] belongs to row n of t [N, D] and to no other. With rows of length 1 and
 *
 *   S = y · tᵀ / temperature        loss = (cross entropy of S's rows + of its columns) / 2, the right one on the diagonal
 *
 * Source: van den Oord et al. 2018, arXiv:1807.03748, eq. 4; both ways: Radford et al. 2021, arXiv:2103.00020, figure 3.
 */
export const infoNce = defineLoss({
  kind: "infoNce",
  summary: "each vector shall find its partner in the batch",
  options: { temperature: z.number().positive().default(0.07) },
  build: (compared, { temperature }) => {
    const { op } = compared;
    const [a, b] = unitVectors(compared);
    const similar = op.div(op.matMul(a, op.transpose(b, [1, 0])), temperature);
    const diagonal = op.eye(op.dim(a, 0), op.dtype(a));
    const chosen = (axis: number): Value => op.mul(diagonal, op.logSoftmax(similar, axis));
    const perRow = op.reduceSum(op.add(chosen(0), chosen(1)), { axes: [1], keepdims: false });
    return op.mul(op.reduceMean(perRow, { axes: "all", keepdims: false }), -0.5);
  },
});
