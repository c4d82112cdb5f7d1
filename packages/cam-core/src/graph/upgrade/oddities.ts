import { isStatic } from "../dims.ts";
import type { Upgrades } from "./index.ts";
import { renewed } from "./renewed.ts";

/** What files contain although ONNX doesn't allow it, and the runtime lets pass only while it doesn't know it: any opset. */
export const oddities: Upgrades = {
  // Lists of one number for the three scalars, as in ONNX's own definition of RMSNormalization. Refused once they are constants.
  Range: [
    {
      until: Number.POSITIVE_INFINITY,
      rewrite: (node, op) => {
        const isList = (name: string) => isStatic(op.dims(name)) && op.dims(name)!.length === 1;
        if (!node.inputs.some(isList)) return undefined;
        return renewed(node, op, { inputs: node.inputs.map((name) => (isList(name) ? op.squeeze(name, [0]) : name)) });
      },
    },
  ],
};
