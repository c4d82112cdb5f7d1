import type { Builder, Value } from "../builder.ts";
import { type Node, numbersAttribute, stringAttribute } from "../graph.ts";
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
  Resize: [{ until: 11, rewrite: (node, op) => [resize(node, op)] }],
};

/**
 * Nearest took the position rounded down along an axis that grows and rounded up along one that shrinks; the new form knows
 * one rounding per node. Other modes don't round.
 */
function resize(node: Node, op: Builder): Value {
  const mode = stringAttribute(node, "mode", "nearest");
  const [x, scales] = node.inputs as [Value, Value];
  const known = op.facts.elements.get(scales)?.map(Number);
  const step = (from: Value, by: Value, rounding: string) =>
    op.node("Resize", [from, undefined, by], { mode, ...asymmetric, nearest_mode: rounding })[0]!;
  if (mode !== "nearest" || !known?.some((scale) => scale < 1)) return step(x, scales, "floor");
  const grown = known.some((scale) => scale > 1)
    ? step(
        x,
        floats(
          op,
          known.map((s) => Math.max(1, s)),
        ),
        "floor",
      )
    : x;
  return step(
    grown,
    floats(
      op,
      known.map((s) => Math.min(1, s)),
    ),
    "ceil",
  );
}
