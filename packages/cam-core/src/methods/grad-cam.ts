import { defineMethod } from "./method.ts";
import { weightedSum } from "./weighted-sum.ts";

/**
 * Grad-CAM: each channel weighs as much as its mean gradient.
 *
 *   w[k] = mean over space of dA[k]        map = relu( sum over k of w[k] * A[k] )
 *
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit (normalise before display).
 * Source: Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2.
 */
export const gradCam = defineMethod({
  name: "grad-cam",
  summary: "channels weighted by their mean gradient; the usual choice",
  source: "arXiv:1610.02391, eq. 1-2",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA, space }) => {
    const w = op.reduceMean(dA, { axes: space });
    return op.relu(weightedSum(op, w, A));
  },
});
