import { defineMethod } from "./method.ts";
import { weightedSum } from "./weighted-sum.ts";

/**
 * CAM: the class's own weights in the dense layer that follows global average pooling.
 *
 *   map = sum over k of W[c, k] * A[k]
 *
 * Only for networks of that form, which is checked; there W[c, k] is the gradient summed over space, whatever the layer is
 * written as (Gemm, MatMul and Add, a 1x1 convolution, with transposes and scales). No rectifier: the map may be negative.
 * A: [N, K, ...space]. Map: [N, ...space], signed, no unit.
 * Source: Zhou et al. 2016, arXiv:1512.04150, eq. 2.
 */
export const cam = defineMethod({
  name: "cam",
  summary: "the class's weights in the last dense layer; needs pooling and one linear layer",
  source: "arXiv:1512.04150, eq. 2",
  needs: ["activations", "gradients", "linear-head"],
  signed: true,
  build: ({ op, activations: A, gradients: dA, space }) => {
    const w = op.reduceSum(dA, { axes: space });
    return weightedSum(op, w, A);
  },
});
