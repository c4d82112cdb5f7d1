import { defineMethod } from "./method.ts";

/**
 * HiResCAM: every position of every channel weighs as much as its own gradient.
 *
 *   map = relu( sum over k of dA[k] * A[k] )
 *
 * With a head that is linear in A, the map before the rectifier sums to the target minus its bias, exactly.
 * A, dA: [N, K, ...space]. Map: [N, ...space], >= 0, no unit.
 * Source: Draelos & Carin 2020, arXiv:2011.08891, eq. 3 (there without the rectifier, which is for display).
 */
export const hiresCam = defineMethod({
  name: "hires-cam",
  summary: "activation times gradient, position by position; exact for linear heads",
  source: "arXiv:2011.08891, eq. 3",
  needs: ["activations", "gradients"],
  build: ({ op, activations: A, gradients: dA }) =>
    op.relu(op.reduceSum(op.mul(dA, A), { axes: [1], keepdims: false })),
});
