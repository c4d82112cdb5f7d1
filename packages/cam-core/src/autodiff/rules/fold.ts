import type { Builder, Value } from "../../graph/builder.ts";
import { float32, float64, int64 } from "../../tensor.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { padded } from "./windows.ts";

/** Col2Im adds blocks of columns up to an image (PyTorch's fold). Backward cuts the image into those blocks (unfold). */

/**
 * dy cut into blocks: a convolution of each channel on its own with one kernel per tap, a 1 at that tap and 0 elsewhere, gives
 * the pixels that the blocks have at it. [N, C, ...image] → [N, C · taps, blocks]
 */
function unfolded({ op, inputs, dy, ints, refuse }: VjpContext): Value[] {
  const [x, , block] = inputs as [Value, Value, Value];
  const kernel = op.integers(block);
  if (!kernel) throw refuse("the shape of a block is not known before the run");
  if (kernel.length > 3) throw refuse("blocks of more than three axes have no gradient rule");
  const each = (value: number) => kernel.map(() => value);
  const taps = kernel.reduce((a, b) => a * b, 1);
  const pads = ints("pads") ?? [...each(0), ...each(0)];
  const image = padded(op, dy, pads.slice(0, kernel.length), pads.slice(kernel.length));
  const channels = op.reshape(image, op.concat([op.ints([-1, 1]), op.shape(image, 2)], 0)); // [N · C, 1, ...image]
  const cut = op.conv(channels, oneTapEach(op, kernel, op.dtype(dy)), {
    kernel_shape: kernel,
    strides: ints("strides") ?? each(1),
    dilations: ints("dilations") ?? each(1),
  });
  const rows = op.mul(op.dim(dy, 1), taps);
  return [op.shapedLike(op.reshape(cut, op.sizes([op.dim(dy, 0), rows, -1])), x)];
}

/** [taps, 1, ...kernel]: the identity, laid out as kernels. */
function oneTapEach(op: Builder, kernel: readonly number[], dtype: string): Value {
  const taps = kernel.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: taps * taps }, (_, i) => Number(i % (taps + 1) === 0));
  return op.constant((dtype === "float64" ? float64 : float32)([taps, 1, ...kernel], values));
}

export const fold = defineRules({
  Col2Im: {
    kind: "linear",
    vjp: unfolded,
    sample: (rng) => {
      const list = (...values: number[]) => int64([values.length], values);
      return [
        { inputs: [rng.normal([2, 3 * 4, 9]), list(4, 4), list(2, 2)] },
        {
          inputs: [rng.normal([2, 2 * 6, 4]), list(5, 6), list(2, 3)],
          attributes: { strides: [2, 3], pads: [1, 0, 0, 1], dilations: [2, 1] },
        },
        { inputs: [rng.normal([1, 8, 8]), list(3, 3, 3), list(2, 2, 2)] },
      ];
    },
  },
});
