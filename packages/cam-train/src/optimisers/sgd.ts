import type { Optimiser } from "./optimiser.ts";

export type SgdOptions = {
  /** Default 0. */
  momentum?: number;
  /** Default false. */
  nesterov?: boolean;
};

/**
 * Stochastic gradient descent:
 *
 *   g ← g + decay · w        v ← momentum · v + g        w ← w − rate · v        (Nesterov: w ← w − rate · (g + momentum · v))
 *
 * Source: torch.optim.SGD (dampening 0); Nesterov's form after Sutskever et al. 2013.
 */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimiser {
  return {
    name: "sgd",
    state: momentum > 0 ? ["momentum"] : [],
    scalars: () => ({}),
    build: ({ op, weights, gradients, state, rate, decay }) => {
      const g = decay ? op.add(gradients, op.mul(weights, decay)) : gradients;
      if (momentum === 0) return { weights: op.sub(weights, op.mul(g, rate)), state: {} };
      const v = op.add(op.mul(state.momentum!, momentum), g);
      const direction = nesterov ? op.add(g, op.mul(v, momentum)) : v;
      return { weights: op.sub(weights, op.mul(direction, rate)), state: { momentum: v } };
    },
  };
}
