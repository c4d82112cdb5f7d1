import type { Value } from "../../graph/builder.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { weightShape } from "./conv.ts";
import { weightCotangent } from "./conv-weight.ts";
import { sumPerChannel } from "./per-channel.ts";
import { halved, isFixed, padded, sizesOf, type Windows } from "./windows.ts";

/**
 * ConvTranspose is the backward of Conv over its input; so its own backward is that Conv, from y's space to x's, with the
 * same weights, strides and pads.
 *
 * x: [N, C, ...in], w: [C, M/group, ...k], y: [N, M, ...out]; one to three spatial axes.
 */
export const convTranspose = defineRules({
  ConvTranspose: {
    kind: "linear",
    vjp: (context) => {
      const { op, inputs, dy, wants, int } = context;
      const [x, w] = inputs as [Value, Value];
      const shape = weightShape(context, w);
      const group = int("group", 1);
      const windows = windowsBetween(context, shape.slice(2));
      const dx = () => {
        const { strides, dilations, begins, ends } = windows;
        const fixed = isFixed(windows) ? { pads: [...windows.begins, ...windows.ends] } : undefined;
        const from = fixed ? dy : padded(op, dy, begins, ends);
        return op.shapedLike(op.conv(from, w, { strides, dilations, group, ...fixed }), x);
      };
      return [
        wants(0) ? dx() : null,
        wants(1) ? weightCotangent(op, dy, x, shape, windows, group) : null,
        wants(2) ? sumPerChannel(op, dy) : null,
      ];
    },
    sample: (rng) => {
      const on = (
        x: readonly number[],
        w: readonly number[],
        attributes: Record<string, unknown> = {},
        bias = false,
      ) => ({
        inputs: [
          rng.normal(x),
          rng.normal(w),
          ...(bias ? [rng.normal([w[1]! * ((attributes.group as number) ?? 1)])] : []),
        ],
        attributes: attributes as Record<string, number>,
      });
      return [
        on([2, 3, 4, 5], [3, 4, 3, 3], {}, true),
        on([2, 3, 4, 5], [3, 4, 2, 2], { strides: [2, 2] }, true),
        on([2, 3, 4, 5], [3, 4, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
        on([2, 3, 4, 3], [3, 2, 4, 3], { strides: [3, 2], pads: [1, 0, 2, 1], output_padding: [2, 0] }),
        on([2, 2, 4, 3], [2, 2, 3, 2], { dilations: [2, 3], strides: [2, 1], pads: [0, 1, 2, 0] }),
        on([2, 4, 4, 3], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }, true),
        on([2, 3, 4, 3], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
        on([2, 3, 4, 5], [3, 2, 1, 1], {}, true),
        on([2, 2, 4, 3], [2, 3, 6, 5], { strides: [2, 2] }),
        on([2, 3, 5], [3, 2, 3], { strides: [2], pads: [1, 0] }, true),
        on([1, 2, 3, 2, 3], [2, 2, 3, 2, 3], { strides: [2, 1, 2], pads: [1, 0, 1, 1, 0, 0] }, true),
        on([2, 2, 3, 4], [2, 2, 5, 4], { strides: [2, 3], auto_pad: "SAME_UPPER" }),
        on([2, 2, 3, 4], [2, 2, 5, 4], { strides: [2, 3], auto_pad: "SAME_LOWER" }),
        on([2, 2, 3, 4], [2, 2, 3, 3], { strides: [2, 3], auto_pad: "SAME_UPPER", output_padding: [1, 2] }),
        on([2, 2, 3, 4], [2, 2, 3, 3], { strides: [2, 2], auto_pad: "VALID" }),
        on([2, 2, 3, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [6, 7] }),
        on([2, 2, 3, 4], [2, 2, 3, 4], { strides: [2, 2], output_shape: [5, 9], auto_pad: "SAME_UPPER" }),
        on([2, 2, 3, 4], [2, 2, 3, 4], { strides: [2, 2], output_shape: [6, 9], auto_pad: "SAME_LOWER" }),
        on([2, 2, 3, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [8, 6], output_padding: [1, 1] }),
      ];
    },
  },
});

/**
 * The windows of the Conv that this transposes. Sizes that are asked for, or SAME (in · stride), turn into pads; of an odd
 * number of them the first gets more, except under SAME_UPPER.
 *
 *   pads = stride · (in - 1) + output_padding + extent - out
 */
function windowsBetween(context: VjpContext, kernel: readonly number[]): Windows {
  const { op, inputs, ints, string } = context;
  const x = inputs[0]!;
  const each = (value: number) => kernel.map(() => value);
  const strides = ints("strides") ?? each(1);
  const dilations = ints("dilations") ?? each(1);
  const extents = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const extra = ints("output_padding") ?? each(0);
  const moved = { kernel, strides, dilations, extents };
  const autoPad = string("auto_pad", "NOTSET");
  // Some exporters write batch and channels into output_shape as well.
  const asked = ints("output_shape")?.slice(-kernel.length);
  if (!asked && !autoPad.startsWith("SAME")) {
    const pads = (autoPad === "VALID" ? undefined : ints("pads")) ?? [...each(0), ...each(0)];
    return { ...moved, begins: pads.slice(0, kernel.length), ends: pads.slice(kernel.length) };
  }
  const upper = autoPad === "SAME_UPPER";
  const added = extents.map((extent, i) => extent + extra[i]! - strides[i]!);
  const totals = sizesOf(op, x).map((size, i) => {
    if (!asked) return Math.max(added[i]!, 0);
    return size === undefined ? undefined : Math.max(strides[i]! * size + added[i]! - asked[i]!, 0);
  });
  const known = totals.every((total) => total !== undefined);
  const missing = () => op.ints(added.map((size, i) => size - asked![i]!));
  const total = known ? totals : op.max(op.add(op.mul(op.shape(x, 2), op.ints(strides)), missing()), 0);
  return { ...moved, ...halved(op, total, upper) };
}
