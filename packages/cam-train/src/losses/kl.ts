import { z } from "zod";
import { labelsLike } from "./binary.ts";
import { defineLoss } from "./define-loss.ts";

/** Below float32's smallest normal number a probability counts as 0. */
const tiny = 1.1754944e-38;

/**
 * Kullback-Leibler divergence from what is right to what the network says, KL(t ‖ q): Σ t · (log t - log q), summed over
 * classes (and space), the mean over samples (torch.nn.KLDivLoss, reduction "batchmean"). 0 · log 0 = 0.
 *
 * The output is logits, q = softmax(y) over axis 1, or `logProbabilities` already; the target is probabilities, or their
 * logarithms with `logTarget`. Source: Kullback and Leibler 1951, eq. 2.4.
 */
export const kl = defineLoss({
  kind: "kl",
  summary: "divergence from given probabilities",
  options: {
    from: z.enum(["logits", "logProbabilities"]).default("logits"),
    logTarget: z.boolean().default(false),
  },
  build: (compared, { from, logTarget }) => {
    const { op, y, dims } = compared;
    const target = labelsLike(compared);
    const q = from === "logits" ? op.logSoftmax(y, 1) : y;
    const t = logTarget ? op.exp(target) : target;
    const log = logTarget ? target : op.log(op.max(target, tiny));
    const axes = dims.map((_, axis) => axis).slice(1);
    const perSample = op.reduceSum(op.mul(t, op.sub(log, q)), { axes, keepdims: false });
    return op.reduceMean(perSample, { axes: "all", keepdims: false });
  },
});
