import type { Builder, Value } from "../builder.ts";
import { type Expansions, type FusedNode, type Refusal, refused } from "./fused.ts";

/** x · Φ(x), with the normal distribution's own function. */
export function gelu(op: Builder, x: Value): Value {
  return op.mul(op.mul(x, 0.5), op.add(op.erf(op.mul(x, Math.SQRT1_2)), 1));
}

/** What an `activation` attribute of a fused product names, applied to the product. */
export function activated({ op, string, ints }: FusedNode, x: Value, parameters?: readonly number[]): Value | Refusal {
  const [first, second] = parameters ?? ints("activation_params") ?? [];
  switch (string("activation", "")) {
    case "":
      return x;
    case "Relu":
      return op.relu(x);
    case "Tanh":
      return op.tanh(x);
    case "Sigmoid":
      return op.sigmoid(x);
    case "LeakyRelu":
      return op.node("LeakyRelu", [x], { alpha: first ?? 0.01 })[0]!;
    case "HardSigmoid":
      return op.node("HardSigmoid", [x], { alpha: first ?? 0.2, beta: second ?? 0.5 })[0]!;
    case "Clip":
      return op.clip(x, first, second);
    default:
      return refused(`its activation ${string("activation", "")} is not known`);
  }
}

export const activations: Expansions = {
  Gelu: ({ op, inputs: [x] }) => [gelu(op, x!)],
  BiasGelu: ({ op, inputs: [x, bias] }) => [gelu(op, op.add(x!, bias!))],
  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  FastGelu: ({ op, inputs: [given, bias] }) => {
    const x = bias ? op.add(given!, bias) : given!;
    const cubed = op.mul(op.mul(x, x), x);
    const inner = op.mul(op.add(x, op.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI));
    return [op.mul(op.mul(x, 0.5), op.add(op.tanh(inner), 1))];
  },
  QuickGelu: ({ op, inputs: [x], float }) => [op.mul(x!, op.sigmoid(op.mul(x!, float("alpha", 1.702))))],
};
