import type { Optimiser, UpdateContext } from "./optimiser.ts";

export type AdamOptions = {
  /** How slowly the means of the gradient and of its square forget. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Keeps the quotient finite. Default 1e-8. */
  epsilon?: number;
};

/**
 * Adam; weight decay is added to the gradient:
 *
 *   g ← g + decay · w        m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *   w ← w − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 *
 * Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; as torch.optim.Adam.
 */
export function adam(options: AdamOptions = {}): Optimiser {
  return adaptive("adam", options, (context) => {
    const { op, weights, gradients, decay } = context;
    return { weights, gradients: decay ? op.add(gradients, op.mul(weights, decay)) : gradients };
  });
}

/**
 * AdamW: Adam with weight decay apart from the gradient: w ← w − rate · decay · w, then Adam's step without decay.
 *
 * Source: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2; as torch.optim.AdamW.
 */
export function adamW(options: AdamOptions = {}): Optimiser {
  return adaptive("adamw", options, (context) => {
    const { op, weights, gradients, rate, decay } = context;
    const kept = decay && op.sub(op.scalar(1, "float32"), op.mul(rate, decay));
    return { weights: kept ? op.mul(weights, kept) : weights, gradients };
  });
}

type Decayed = Pick<UpdateContext, "weights" | "gradients">;

function adaptive(name: string, options: AdamOptions, decayed: (context: UpdateContext) => Decayed): Optimiser {
  const { betas = [0.9, 0.999], epsilon = 1e-8 } = options;
  return {
    name,
    state: ["mean", "square"],
    // The corrections for the zeros that both means start from: powers of β, in double precision.
    scalars: (update, rate) => ({
      stride: rate / (1 - betas[0] ** update),
      inflation: 1 / Math.sqrt(1 - betas[1] ** update),
    }),
    build: (context) => {
      const { op, state, scalars } = context;
      const { weights, gradients: g } = decayed(context);
      const mean = op.add(op.mul(state.mean!, betas[0]), op.mul(g, 1 - betas[0]));
      const square = op.add(op.mul(state.square!, betas[1]), op.mul(op.mul(g, g), 1 - betas[1]));
      const size = op.add(op.mul(op.sqrt(square), scalars.inflation!), epsilon);
      return {
        weights: op.sub(weights, op.mul(op.div(mean, size), scalars.stride!)),
        state: { mean, square },
      };
    },
  };
}
