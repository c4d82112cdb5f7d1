import { UnsupportedModelError } from "../../errors.ts";
import { float32 } from "../../tensor.ts";
import type { Builder, Value } from "../builder.ts";
import { type Node, numberAttribute, numbersAttribute, stringAttribute } from "../graph.ts";
import type { Upgrade, Upgrades } from "./index.ts";

/** Axes moved from an attribute to an input: opset 13 for ReduceSum, 18 for the other reductions. */
const reduction: Upgrade = {
  until: 18,
  rewrite: (node, op) => {
    const axes = numbersAttribute(node, "axes");
    if (node.inputs.length > 1) return undefined;
    return op.node(node.opType, [node.inputs[0], axes && op.ints(axes)], {
      keepdims: numberAttribute(node, "keepdims", 1),
      noop_with_empty_axes: numberAttribute(node, "noop_with_empty_axes", 0),
    });
  },
};

/** Squeeze and Unsqueeze: axes moved to an input in opset 13. */
const axesInput: Upgrade = {
  until: 13,
  rewrite: (node, op) => {
    const axes = numbersAttribute(node, "axes");
    return op.node(node.opType, [node.inputs[0], axes && op.ints(axes)]);
  },
};

/** Operators whose attributes became inputs. */
export const attributesToInputs: Upgrades = {
  ...Object.fromEntries(
    ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"].map((kind) => [
      `Reduce${kind}`,
      [reduction],
    ]),
  ),
  Squeeze: [axesInput],
  Unsqueeze: [axesInput],
  // Opset 13 moved the sizes to an input; 18 wants to be told when the parts are equal.
  Split: [
    {
      until: 18,
      rewrite: (node, op) => {
        const sizes = numbersAttribute(node, "split");
        const axis = numberAttribute(node, "axis", 0);
        const input = sizes ? op.ints(sizes) : node.inputs[1];
        const parts = input ? {} : { num_outputs: node.outputs.length };
        return op.node("Split", [node.inputs[0], input], { axis, ...parts }, { outputs: node.outputs.length });
      },
    },
  ],
  Clip: [
    {
      until: 11,
      rewrite: (node, op) => {
        const bound = (name: string) => {
          const attribute = node.attributes[name];
          return attribute?.type === "float" ? op.scalar(attribute.value, op.dtype(node.inputs[0]!)) : undefined;
        };
        return op.node("Clip", [node.inputs[0], bound("min"), bound("max")]);
      },
    },
  ],
  Pad: [
    {
      until: 11,
      rewrite: (node, op) => {
        const value = numberAttribute(node, "value", 0);
        const pads = op.ints(numbersAttribute(node, "pads") ?? []);
        return [op.pad(node.inputs[0]!, pads, value, stringAttribute(node, "mode", "constant"))];
      },
    },
  ],
  Slice: [
    {
      until: 10,
      rewrite: (node, op) => {
        const starts = numbersAttribute(node, "starts") ?? [];
        const ends = numbersAttribute(node, "ends") ?? [];
        const axes = numbersAttribute(node, "axes") ?? starts.map((_, axis) => axis);
        return [op.slice(node.inputs[0]!, { axes, starts, ends })];
      },
    },
  ],
  // What was an experiment until then became the new Slice.
  DynamicSlice: [{ until: 10, rewrite: (node, op) => op.node("Slice", node.inputs) }],
  TopK: [
    {
      until: 10,
      rewrite: (node, op) =>
        op.node(
          "TopK",
          [node.inputs[0], op.ints([numberAttribute(node, "k", 1)])],
          { axis: numberAttribute(node, "axis", -1) },
          { outputs: 2 },
        ),
    },
  ],
  // Deprecated in opset 11 under a new name.
  Scatter: [
    {
      until: 11,
      rewrite: (node, op) => op.node("ScatterElements", [...node.inputs], { axis: numberAttribute(node, "axis", 0) }),
    },
  ],
  // Opset 11 made C optional and 7 its broadcasting; nothing to do but to refuse what 6 and before meant.
  BatchNormalization: [
    {
      until: 14,
      rewrite: (node, op) => {
        if (numberAttribute(node, "spatial", 1) === 0)
          throw new UnsupportedModelError(
            `BatchNormalization "${node.name}" has one statistic per position (spatial=0)`,
          );
        return [batchNormalization(node, op)];
      },
    },
  ],
};

/** Inference form with one output; the further ones of the old training form carry nothing at inference. */
function batchNormalization(node: Node, op: Builder): Value {
  const epsilon = numberAttribute(node, "epsilon", 1e-5);
  return op.node("BatchNormalization", node.inputs.slice(0, 5), { epsilon })[0]!;
}

/** A list of floats as a 1-D constant. */
export function floats(op: Builder, values: readonly number[]): Value {
  return op.constant(float32([values.length], values));
}
