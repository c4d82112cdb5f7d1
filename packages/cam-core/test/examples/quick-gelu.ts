import { defineRules } from "../../src/autodiff/rule.ts";

export const quickGelu = defineRules({
  // y = x · σ(αx), with s = σ(αx): dx = dy · (s + α · y · (1 − s)).
  "com.microsoft:QuickGelu": {
    kind: "smooth",
    vjp: ({ op, inputs: [x], outputs: [y], dy, float }) => {
      const alpha = float("alpha", 1.702);
      const s = op.sigmoid(op.mul(x!, alpha));
      return [op.mul(dy, op.add(s, op.mul(op.mul(y!, op.sub(1, s)), alpha)))];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5])] },
      { inputs: [rng.normal([2, 3])], attributes: { alpha: { float: 0.5 } } },
    ],
  },
});
