import { defineMethod } from "./method.ts";

/**
 * Input gradient (saliency): how strongly the target reacts to each input position.
 *
 *   map = max over channels of | d target / d x |
 *
 * x: [N, C, ...space]. Map: [N, ...space] at the input's resolution, >= 0, target units per input unit.
 * Source: Simonyan et al. 2013, arXiv:1312.6034, section 3.1.
 */
export const inputGradient = defineMethod({
  name: "input-gradient",
  summary: "how strongly the target reacts to each input position (saliency)",
  source: "arXiv:1312.6034, section 3.1",
  needs: ["input-gradients"],
  resolution: "input",
  build: ({ op, inputGradients: dx }) => op.reduceMax(op.abs(dx), { axes: [1], keepdims: false }),
});
