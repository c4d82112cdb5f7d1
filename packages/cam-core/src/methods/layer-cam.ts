import { defineMethod } from "./method.ts";

/**
 * LayerCAM: every position weighs as much as its own gradient where that is positive; made for early layers too.
 *
 *   map = relu( sum over k of relu(dA[k]) * A[k] )
 *
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit.
 * Source: Jiang et al. 2021, doi:10.1109/TIP.2021.3089943, eq. 5-6.
 */
export const layerCam = defineMethod({
  name: "layer-cam",
  summary: "positive gradients position by position; good at early, fine layers",
  source: "doi:10.1109/TIP.2021.3089943, eq. 5-6",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA }) =>
    op.relu(op.reduceSum(op.mul(op.relu(dA), A), { axes: [1], keepdims: false })),
});
