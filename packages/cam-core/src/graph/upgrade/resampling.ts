import type { Builder, Value } from "../builder.ts";
import { type Node, numbersAttribute, stringAttribute } from "../graph.ts";
import { floats } from "./attributes-to-inputs.ts";
import type { Upgrades } from "./index.ts";
import { renewed } from "./renewed.ts";

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
    { until: 11, rewrite: (node, op) => [resize(node, op)] },
    { until: 18, rewrite: eitherScalesOrSizes },
  ],
  // Opset 16 moved the regions by half a pixel, and kept the old way under a name.
  RoiAlign: [
    {
      until: 16,
      rewrite: (node, op) => {
        const mode = { coordinate_transformation_mode: { type: "string", value: "output_half_pixel" } } as const;
        return renewed(node, op, { attributes: { ...node.attributes, ...mode } });
      },
    },
  ],
};

/**
 * Nearest took the position rounded down along an axis that grows and rounded up along one that shrinks; the new form knows
 * one rounding per node, so what may do either is resized twice. Other modes don't round.
 */
function resize(node: Node, op: Builder): Value {
  const mode = stringAttribute(node, "mode", "nearest");
  const [x, scales] = node.inputs as [Value, Value];
  const step = (from: Value, by: Value, rounding: string) =>
    op.node("Resize", [from, undefined, by], { mode, ...asymmetric, nearest_mode: rounding })[0]!;
  const known = op.facts.elements.get(scales)?.map(Number);
  if (mode !== "nearest" || known?.every((scale) => scale >= 1)) return step(x, scales, "floor");
  const grow = known
    ? floats(
        op,
        known.map((scale) => Math.max(1, scale)),
      )
    : op.max(scales, 1);
  const shrink = known
    ? floats(
        op,
        known.map((scale) => Math.min(1, scale)),
      )
    : op.min(scales, 1);
  return step(known?.every((scale) => scale <= 1) ? x : step(x, grow, "floor"), shrink, "ceil");
}

/**
 * Opset 11 wanted scales, empty ones where sizes are given; from 18 on the runtime takes one of the two. Which one counts was
 * told by the other being empty.
 */
function eitherScalesOrSizes(node: Node, op: Builder): readonly Value[] | undefined {
  const [x, roi, scales, sizes] = node.inputs;
  if (!scales || !sizes) return undefined;
  const bySizes = op.dims(sizes)?.[0] !== 0;
  const inputs = bySizes ? [x!, roi!, "", sizes] : [x!, roi!, scales];
  return renewed(node, op, { inputs });
}
