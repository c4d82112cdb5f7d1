import { defineMethod } from "../../src/methods/method.ts";

/**
 * Element-wise Grad-CAM: what speaks for the target, position by position; channels can't cancel each other.
 *
 *   map = sum over k of relu( dA[k] * A[k] )
 *
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit.
 * Source: pytorch-grad-cam 1.5.7, GradCAMElementWise.
 */
export const elementWiseGradCam = defineMethod({
  name: "element-wise-grad-cam",
  summary: "positive contributions position by position",
  source: "pytorch-grad-cam 1.5.7, GradCAMElementWise",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA }) =>
    op.reduceSum(op.relu(op.mul(dA, A)), { axes: [1], keepdims: false }),
});
