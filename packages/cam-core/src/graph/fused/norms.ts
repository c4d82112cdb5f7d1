import type { Builder, Value } from "../builder.ts";
import type { Expand, Expansions, FusedNode } from "./fused.ts";

/** Norms with the residual sum that they read. */

/** The root mean square over the last axes: x / √(mean(x²) + ε) · scale, and 1 / √(…). */
function rootMeanSquare(op: Builder, x: Value, scale: Value, epsilon: number, axis: number): readonly [Value, Value] {
  const first = axis < 0 ? axis + op.rank(x) : axis;
  const axes = Array.from({ length: op.rank(x) - first }, (_, i) => first + i);
  const single = op.cast(x, "float32");
  const inverse = op.reciprocal(op.sqrt(op.add(op.reduceMean(op.mul(single, single), { axes }), epsilon)));
  return [op.mul(op.cast(op.mul(single, inverse), op.dtype(x)), scale), inverse];
}

function summed({ op, inputs }: FusedNode, bias: Value | undefined): Value {
  const sum = op.add(inputs[0]!, inputs[1]!);
  return bias ? op.add(sum, bias) : sum;
}

/** LayerNormalization of input + skip + bias; the sum is the last output. */
const skipLayerNormalization: Expand = (fused) => {
  const { op, node, inputs, float } = fused;
  const sum = summed(fused, inputs[4]);
  const outputs = node.outputs[1] || node.outputs[2] ? 3 : 1;
  const attributes = { axis: -1, epsilon: float("epsilon", 1e-12) };
  const [y, mean, inverse] = op.node("LayerNormalization", [sum, inputs[2], inputs[3]], attributes, { outputs });
  return [y, mean, inverse, sum];
};

const skipRootMeanSquare: Expand = (fused) => {
  const sum = summed(fused, fused.inputs[3]);
  const [y, inverse] = rootMeanSquare(fused.op, sum, fused.inputs[2]!, fused.float("epsilon", 1e-12), -1);
  return [y, undefined, inverse, sum];
};

export const norms: Expansions = {
  SkipLayerNormalization: skipLayerNormalization,
  SkipSimplifiedLayerNormalization: skipRootMeanSquare,
};

/** ONNX Runtime keeps this one in ONNX's own domain. */
export const simplified: Expansions = {
  SimplifiedLayerNormalization: ({ op, inputs: [x, scale], float, int }) =>
    rootMeanSquare(op, x!, scale!, float("epsilon", 1e-5), int("axis", -1)),
};
