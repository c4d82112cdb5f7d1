import type { Upgrades } from "./index.ts";

/** Operators whose old form spoke of training. */
export const training: Upgrades = {
  // The ratio became an input in opset 12. At inference Dropout passes its input through.
  Dropout: [
    { until: 12, rewrite: (node, op) => (node.outputs.length > 1 ? undefined : op.node("Identity", [node.inputs[0]])) },
  ],
};
