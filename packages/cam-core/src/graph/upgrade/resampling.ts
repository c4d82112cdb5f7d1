import { numbersAttribute, stringAttribute } from "../graph.ts";
import { floats } from "./attributes-to-inputs.ts";
import type { Upgrades } from "./index.ts";

/** What Upsample, and Resize before opset 11, always meant. */
const asymmetric = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };

export const resampling: Upgrades = {
  // Scales as an attribute until opset 8, as an input in 9; then Resize took over.
  Upsample: [
    {
      until: 10,
      rewrite: (node, op) => {
        const scales = numbersAttribute(node, "scales");
        const input = scales ? floats(op, scales) : node.inputs[1];
        return op.node("Resize", [node.inputs[0], undefined, input], {
          mode: stringAttribute(node, "mode", "nearest"),
          ...asymmetric,
        });
      },
    },
  ],
  Resize: [
    {
      until: 11,
      rewrite: (node, op) =>
        op.node("Resize", [node.inputs[0], undefined, node.inputs[1]], {
          mode: stringAttribute(node, "mode", "nearest"),
          ...asymmetric,
        }),
    },
  ],
};
