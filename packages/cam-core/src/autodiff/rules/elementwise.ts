import { defineRules, zero } from "../rule.ts";

/** Element-wise operators. dy has the broadcast shape; the sweep sums it back to each input's. */
export const elementwise = defineRules({
  // y = max(x, 0). At the kink the gradient is 0, as in PyTorch. The mask reads y, so the forward Conv+Relu can stay fused.
  Relu: {
    kind: "kinked",
    vjp: ({ op, outputs: [y], dy }) => [op.where(op.greater(y!, 0), dy, 0)],
    sample: (rng) => [rng.away(0, [2, 3])],
  },
  Add: { kind: "linear", vjp: ({ dy }) => [dy, dy], sample: (rng) => [rng.normal([2, 3]), rng.normal([1, 3])] },
  Mul: {
    kind: "linear",
    vjp: ({ op, inputs: [a, b], dy }) => [op.mul(dy, b!), op.mul(dy, a!)],
    sample: (rng) => [rng.normal([2, 3]), rng.normal([1, 3])],
  },
  Floor: zero("a step function"),
});
