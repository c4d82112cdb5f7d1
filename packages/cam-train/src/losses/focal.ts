import { z } from "zod";
import { labelsLike } from "./binary.ts";
import { classesOf, oneHot } from "./cross-entropy.ts";
import { defineLoss } from "./define-loss.ts";

/**
 * Focal loss, which leaves well-judged samples alone. From logits:
 *
 *   class numbers      l = -(1 - p[t])^γ · log p[t]            p = softmax(y), the mean over N (and space)
 *   0 or 1 per output  l = -a · (1 - q)^γ · log q              q = σ(y), a = α for 1; q = σ(-y), a = 1 - α for 0; mean over all
 *
 * (1 - σ(z))^γ is written as exp(-γ · softplus(z)), which has a gradient everywhere.
 * Source: Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5.
 */
export const focal = defineLoss({
  kind: "focal",
  summary: "cross entropy that leaves well-judged samples alone",
  options: {
    gamma: z.number().nonnegative().default(2),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .meta({ description: "the share of 1 against 0; not for class numbers" }),
  },
  build: (compared, { gamma, alpha }) => {
    const { op, y, t } = compared;
    const mean = (value: string) => op.reduceMean(value, { axes: "all", keepdims: false });
    if (/int/.test(op.dtype(t)) && op.rank(t) < op.rank(y)) {
      const chosen = op.mul(oneHot(op, t, classesOf(compared)), op.logSoftmax(y, 1));
      const log = op.reduceSum(chosen, { axes: [1], keepdims: false }); // log p[t]
      // Away from 0, where a power below 1 has no gradient.
      const missed = op.max(op.sub(1, op.exp(log)), 1e-7);
      return op.neg(mean(op.mul(op.pow(missed, gamma), log)));
    }
    const labels = labelsLike(compared);
    const signed = op.mul(y, op.sub(op.mul(labels, 2), 1)); // z = y for 1, -y for 0
    const share = op.add(op.mul(labels, 2 * alpha - 1), 1 - alpha);
    const easy = op.exp(op.mul(op.softplus(signed), -gamma));
    return mean(op.mul(op.mul(share, easy), op.softplus(op.neg(signed))));
  },
});
