import type { Value } from "../../graph/builder.ts";
import { isStatic } from "../../graph/dims.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { inputCotangent } from "./conv-input.ts";
import { weightCotangent } from "./conv-weight.ts";
import { sumPerChannel } from "./per-channel.ts";
import { windowsOf } from "./windows.ts";

/** x: [N, C, ...in], w: [M, C/group, ...k], y: [N, M, ...out]; one to three spatial axes. */
export const conv = defineRules({
  Conv: {
    kind: "linear",
    vjp: (context) => {
      const { op, inputs, outputs, dy, wants, int } = context;
      const [x, w] = inputs as [Value, Value];
      const shape = weightShape(context, w);
      const group = int("group", 1);
      const windows = windowsOf(context, shape.slice(2), x, outputs[0]!);
      return [
        wants(0) ? inputCotangent(op, dy, w, x, windows, group) : null,
        wants(1) ? weightCotangent(op, x, dy, shape, windows, group) : null,
        wants(2) ? sumPerChannel(op, dy) : null,
      ];
    },
    sample: (rng) => {
      const on = (x: readonly number[], w: readonly number[], attributes = {}, bias = false) => ({
        inputs: [rng.normal(x), rng.normal(w), ...(bias ? [rng.normal([w[0]!])] : [])],
        attributes,
      });
      return [
        on([2, 3, 7, 6], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }, true),
        on([2, 9, 5, 4], [4, 9, 3, 2], { pads: [1, 0, 0, 1] }),
        on([2, 10, 4, 5], [6, 10, 1, 1], {}, true),
        on([2, 5, 1, 1], [4, 5, 1, 1], {}, true),
        on([1, 2, 5, 5], [3, 2, 1, 1], { pads: [1, 2, 0, 1] }),
        on([2, 3, 7, 6], [4, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }, true),
        on([2, 3, 8, 9], [4, 3, 3, 2], { strides: [3, 2], pads: [0, 1, 2, 0] }),
        on([2, 3, 8, 9], [4, 3, 1, 1], { strides: [2, 2] }),
        on([1, 2, 9, 9], [3, 2, 3, 3], { dilations: [2, 3], pads: [2, 3, 1, 3] }),
        on([2, 2, 9, 10], [3, 2, 3, 2], { dilations: [2, 3], strides: [2, 3], pads: [2, 1, 0, 3] }),
        on([2, 4, 7, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }, true),
        on([2, 4, 7, 6], [6, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 0, 1, 2] }),
        on([2, 3, 7, 6], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
        on([2, 3, 7, 6], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
        on([2, 3, 8, 7], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
        on([2, 3, 9, 9], [3, 1, 5, 3], { group: 3, strides: [2, 3], pads: [0, 1, 1, 0] }),
        on([2, 3, 6, 6], [3, 1, 2, 2], { group: 3, strides: [3, 3], pads: [1, 0, 0, 1] }),
        on([2, 3, 9, 8], [2, 3, 7, 6], { pads: [3, 2, 3, 3] }),
        on([2, 3, 12, 11], [2, 3, 7, 6], { pads: [2, 3, 3, 1], strides: [2, 2] }, true),
        on([2, 4, 9, 8], [4, 2, 6, 6], { group: 2, strides: [2, 3], pads: [1, 2, 0, 1], dilations: [1, 1] }),
        on([2, 64, 5, 4], [3, 64, 3, 3], { pads: [1, 0, 1, 1] }, true),
        on([2, 64, 7, 6], [2, 64, 3, 2], { pads: [1, 1, 0, 1], strides: [2, 3], dilations: [2, 1] }),
        on([2, 3, 9], [4, 3, 3], { pads: [1, 1] }, true),
        on([2, 3, 9], [4, 3, 4], { strides: [2], pads: [2, 1], dilations: [2] }),
        on([2, 2, 4, 5, 3], [3, 2, 3, 3, 3], { pads: [1, 1, 1, 1, 1, 1] }, true),
        on([2, 3, 4, 5, 16], [3, 1, 3, 3, 3], { group: 3, pads: [1, 1, 1, 1, 1, 1] }, true),
        on([2, 2, 5, 6, 17], [2, 1, 2, 3, 4], { group: 2, strides: [1, 2, 3], pads: [1, 0, 2, 0, 1, 1] }),
        on([1, 3, 6, 7, 5], [3, 1, 3, 4, 3], { group: 3, dilations: [1, 1, 2], pads: [2, 2, 1, 0, 1, 2] }),
        on([2, 2, 5, 4, 16], [2, 1, 3, 2, 2], { group: 2, strides: [2, 1, 1], pads: [1, 0, 0, 1, 1, 1] }),
        on([1, 2, 5, 6, 5], [4, 1, 3, 2, 3], { group: 2, strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 1] }),
        on([2, 2, 7, 6], [3, 2, 3, 2], { auto_pad: "SAME_UPPER" }),
        on([2, 2, 7, 6], [3, 2, 2, 4], { auto_pad: "SAME_LOWER" }),
        on([2, 2, 7, 8], [3, 2, 3, 3], { auto_pad: "SAME_UPPER", strides: [2, 2] }, true),
        on([2, 2, 7, 8], [3, 2, 4, 3], { auto_pad: "SAME_LOWER", strides: [3, 2] }),
        on([2, 2, 7, 8], [3, 2, 1, 2], { auto_pad: "SAME_UPPER", strides: [2, 3] }),
        on([2, 2, 7, 8], [3, 2, 3, 3], { auto_pad: "VALID", strides: [2, 2] }),
      ];
    },
  },
});

/** The weights' shape; refuses a kernel whose size is not in the file. */
export function weightShape({ op, refuse }: VjpContext, w: Value): readonly number[] {
  const shape = op.dims(w);
  if (isStatic(shape)) return shape;
  throw refuse(`the shape of its weights "${w}" is not known`, "Export the model with static weight shapes.");
}
