import { defineMethod } from "./method.ts";

/**
 * Input times gradient: what each input position contributes to first order. In a network of convolutions, ReLUs and
 * pooling without biases the map sums to the target, exactly.
 *
 *   map = sum over channels of x * d target / d x
 *
 * x: [N, C, ...space]. Map: [N, ...space] at the input's resolution, signed, target units.
 * Source: Shrikumar et al. 2016, arXiv:1605.01713, section 2.
 */
export const inputXGradient = defineMethod({
  name: "input-x-gradient",
  summary: "first-order contribution of each input position, signed",
  source: "arXiv:1605.01713, section 2",
  needs: ["input", "input-gradients"],
  resolution: "input",
  signed: true,
  build: ({ op, input: x, inputGradients: dx }) => op.reduceSum(op.mul(x, dx), { axes: [1], keepdims: false }),
});
