import type { Builder, Value } from "../builder.ts";
import type { Node } from "../graph.ts";
import type { Upgrades } from "./index.ts";

/** Operators whose old form spoke of training. */
export const training: Upgrades = {
  // The ratio became an input in opset 12. At inference Dropout passes its input through; what its mask then is wasn't said
  // (ONNX Runtime gives zeros), only its type: the input's own before opset 10, bool from then on.
  Dropout: [
    { until: 10, rewrite: (node, op) => dropout(node, op, (zeros) => zeros) },
    { until: 12, rewrite: (node, op) => dropout(node, op, (zeros) => op.cast(zeros, "bool")) },
  ],
};

function dropout(node: Node, op: Builder, mask: (zeros: Value) => Value): Value[] {
  const x = node.inputs[0]!;
  const same = op.node("Identity", [x]);
  return node.outputs.length === 1 ? same : [...same, mask(op.fillLike(x, 0))];
}
