import { defineMethod } from "./method.ts";
import { weightedSum } from "./weighted-sum.ts";

/**
 * Grad-CAM++: each channel weighs the sum of its positive gradients, each one damped by how much the channel is active
 * altogether, so that several small instances of a class count like one large one.
 *
 *   a[k] = 1 / (2 + dA[k] * sum over space of A[k])     where dA[k] > 0, else 0
 *   w[k] = sum over space of a[k] * relu(dA[k])         map = relu( sum over k of w[k] * A[k] )
 *
 * The paper's score is exp(S), S the logit: its first three derivatives are exp(S)·dA, exp(S)·dA², exp(S)·dA³, and eq. 19,
 * dA² / (2 dA² + sum(A)·dA³), reduces to the form above. sum(A) runs over all positions of a channel and multiplies every
 * dA³ (popular code miscodes it as sum(A·dA³), or adds an epsilon that outweighs the rest for small gradients).
 * A denominator below 1e-12 in magnitude, possible where A is negative, counts as no weight.
 *
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit. Source: Chattopadhyay et al. 2018, arXiv:1710.11063, eq. 19.
 */
export const gradCamPlusPlus = defineMethod({
  name: "grad-cam++",
  summary: "Grad-CAM that gives several instances of a class equal weight",
  source: "arXiv:1710.11063, eq. 19",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA, space }) => {
    const denominator = op.add(op.mul(dA, op.reduceSum(A, { axes: space })), 2);
    const usable = op.and(op.greater(dA, 0), op.greater(op.abs(denominator), 1e-12));
    // The unusable positions divide by 1, so that no infinity arises on the way to being dropped.
    const weighted = op.where(usable, op.div(dA, op.where(usable, denominator, 1)), 0);
    const w = op.reduceSum(weighted, { axes: space });
    return op.relu(weightedSum(op, w, A));
  },
});
