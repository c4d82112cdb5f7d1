import { z } from "zod";
import { defineLayer } from "./define-layer.ts";

/** max(x, 0) */
export const relu = defineLayer({
  kind: "relu",
  summary: "max(x, 0)",
  options: {},
  build: ({ op }, x) => op.relu(x),
});

/** min(max(x, 0), 6) */
export const relu6 = defineLayer({
  kind: "relu6",
  summary: "min(max(x, 0), 6)",
  options: {},
  build: ({ op }, x) => op.clip(x, 0, 6),
});

/** x below 0 is multiplied by `slope`. */
export const leakyRelu = defineLayer({
  kind: "leakyRelu",
  summary: "x, or slope · x below 0",
  main: "slope",
  options: { slope: z.number().nonnegative().default(0.01) },
  build: ({ op }, x, { slope }) => op.node("LeakyRelu", [x], { alpha: slope })[0]!,
});

/** x · σ(x), also called swish. */
export const silu = defineLayer({
  kind: "silu",
  summary: "x · sigmoid(x)",
  options: {},
  build: ({ op }, x) => op.mul(x, op.sigmoid(x)),
});

/**
 * x · Φ(x) = x / 2 · (1 + erf(x / √2)), or its approximation x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
 * Source: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2.
 */
export const gelu = defineLayer({
  kind: "gelu",
  summary: "x · Φ(x)",
  main: "approximate",
  options: { approximate: z.enum(["none", "tanh"]).default("none") },
  build: ({ op }, x, { approximate }) => {
    const inner = {
      none: () => op.erf(op.mul(x, Math.SQRT1_2)),
      tanh: () => op.tanh(op.mul(op.add(op.mul(op.mul(op.mul(x, x), x), 0.044715), x), Math.sqrt(2 / Math.PI))),
    }[approximate]();
    return op.mul(op.mul(x, 0.5), op.add(inner, 1));
  },
});

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = defineLayer({
  kind: "sigmoid",
  summary: "1 / (1 + exp(-x))",
  options: {},
  build: ({ op }, x) => op.sigmoid(x),
});

/** tanh(x) */
export const tanh = defineLayer({
  kind: "tanh",
  summary: "tanh(x)",
  options: {},
  build: ({ op }, x) => op.tanh(x),
});

/** x · min(max(x + 3, 0), 6) / 6. Source: Howard et al. 2019, arXiv:1905.02244, section 5.2. */
export const hardSwish = defineLayer({
  kind: "hardSwish",
  summary: "x · relu6(x + 3) / 6",
  options: {},
  build: ({ op }, x) => op.node("HardSwish", [x])[0]!,
});
