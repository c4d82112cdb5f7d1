import { defineMethod } from "./method.ts";
import { weightedSum } from "./weighted-sum.ts";

/**
 * XGrad-CAM: each channel weighs the mean of its gradient under its own activation.
 *
 *   w[k] = sum over space of dA[k] * A[k] / sum over space of A[k]      map = relu( sum over k of w[k] * A[k] )
 *
 * A channel whose activations sum to zero weighs nothing; popular code adds 1e-7 to the sum instead.
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit.
 * Source: Fu et al. 2020, arXiv:2008.02312, eq. 8.
 */
export const xgradCam = defineMethod({
  name: "xgrad-cam",
  summary: "channels weighted by the gradient under their own activation",
  source: "arXiv:2008.02312, eq. 8",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA, space }) => {
    const sum = op.reduceSum(A, { axes: space });
    const empty = op.equal(sum, 0);
    const w = op.where(empty, 0, op.div(op.reduceSum(op.mul(dA, A), { axes: space }), op.where(empty, 1, sum)));
    return op.relu(weightedSum(op, w, A));
  },
});
