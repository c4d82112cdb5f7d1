import { defineRules, type Rule, zero } from "../rule.ts";

/**
 * Softmax and its kin, over one axis. A row that is -infinity throughout is NaN in the forward pass already; -infinity beside
 * finite values has y = 0, and its gradient is 0.
 */
export const softmax = defineRules({
  // dx = y ∘ (dy - sum(dy ∘ y)).
  Softmax: {
    kind: "smooth",
    vjp: ({ op, outputs: [y], dy, int }) => {
      const mean = op.reduceSum(op.mul(dy, y!), { axes: [int("axis", -1)] });
      return [op.mul(op.sub(dy, mean), y!)];
    },
    sample: overAxes,
  },
  // y = x - log(sum(eˣ)): dx = dy - softmax(x) · sum(dy).
  LogSoftmax: {
    kind: "smooth",
    vjp: ({ op, outputs: [y], dy, int }) => [
      op.sub(dy, op.mul(op.exp(y!), op.reduceSum(dy, { axes: [int("axis", -1)] }))),
    ],
    sample: overAxes,
  },
  Hardmax: zero("a choice"),
});

function overAxes(rng: Parameters<Rule["sample"]>[0]): ReturnType<Rule["sample"]> {
  return [undefined, -1, 1, 0, -2].map((axis) => ({
    inputs: [rng.normal([2, 5, 3])],
    ...(axis === undefined ? {} : { attributes: { axis } }),
  }));
}
