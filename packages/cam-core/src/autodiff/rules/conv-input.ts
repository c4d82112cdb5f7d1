import type { Builder, Value } from "../../graph/builder.ts";
import { isStatic } from "../../graph/dims.ts";
import { cutTo, isFixed, marginsOf, spares, type Windows, withZerosBetween } from "./windows.ts";

/**
 * Backward of Conv over its input: every output pixel spreads its cotangent over the window that it read. Three ways to
 * write the same sum, each the fastest on the CPU for some shapes (milliseconds, one thread):
 *
 *   stride 1              Conv with the weights rotated     depthwise 3×3 at 14², 384 channels: 0.08, ConvTranspose 0.57
 *   depthwise, strided    zeros between pixels, then that   3×3 at 112², 96 channels: 0.84, ConvTranspose 1.20
 *   otherwise             ConvTranspose                     3×3 to 3 channels at 224²: 6.9, Conv 12.0
 *
 * A dense layer written as a convolution over one position is a product like any other dense layer.
 */
export function inputCotangent(op: Builder, dy: Value, w: Value, x: Value, windows: Windows, group: number): Value {
  const shape = op.dims(w);
  if (isFixed(windows) && isStatic(shape)) {
    const dense = [...shape.slice(2), ...(op.dims(x)?.slice(2) ?? [null])].every((size) => size === 1);
    if (dense && group === 1 && [...windows.begins, ...windows.ends].every((pad) => pad === 0)) {
      const [outputs, inputs, ...ones] = shape as [number, number, ...number[]];
      const product = op.gemm(op.reshape(dy, [-1, outputs]), op.reshape(w, [outputs, inputs]));
      return op.reshape(product, [0, inputs, ...ones]);
    }
    const margins = marginsOf(op, x, windows);
    const unit = windows.strides.every((stride) => stride === 1);
    const depthwise = shape.length === 4 && shape[0] === group && shape[1] === 1;
    // Few channels make ConvTranspose's product a small one.
    const narrow = group === 1 && shape[1]! <= 8 && shape[0]! > shape[1]!;
    if (margins.every((pad) => pad >= 0) && (unit ? !narrow : depthwise)) {
      const spread = unit ? dy : withZerosBetween(op, dy, windows.strides);
      const dx = op.conv(spread, rotated(op, w, shape, group), { dilations: windows.dilations, pads: margins, group });
      return cutTo(op, dx, x, windows);
    }
  }
  return transposed(op, dy, w, x, windows, group);
}

function transposed(op: Builder, dy: Value, w: Value, x: Value, windows: Windows, group: number): Value {
  const { strides, dilations, begins } = windows;
  const longest = strides.map((stride) => stride - 1);
  if (isFixed(windows)) {
    const output_padding = spares(op, x, windows).map((spare, i) => spare ?? longest[i]!);
    const pads = [...windows.begins, ...windows.ends];
    return cutTo(op, op.convTranspose(dy, w, { strides, dilations, pads, group, output_padding }), x, windows);
  }
  // Pads that only the run knows: the cotangent of the padded input, of which the middle is cut out.
  const whole = op.convTranspose(dy, w, { strides, dilations, group, output_padding: longest });
  const starts = typeof begins === "string" ? begins : op.ints(begins);
  const axes = strides.map((_, i) => i + 2);
  return op.shapedLike(op.slice(whole, { axes, starts, ends: op.add(starts, op.shape(x, 2)) }), x);
}

/** Weights [M, C/group, ...k] as those of the way back, [C, M/group, ...k]: channels exchanged, every spatial axis reversed. */
function rotated(op: Builder, w: Value, shape: readonly number[], group: number): Value {
  const [outputs, inputs, ...kernel] = shape as [number, number, ...number[]];
  const perGroup = outputs / group;
  const spatial = kernel.map((_, i) => i + 3);
  const split = op.reshape(w, [group, perGroup, inputs, ...kernel]);
  const exchanged = perGroup === 1 || inputs === 1 ? split : op.transpose(split, [0, 2, 1, ...spatial]);
  const merged = op.reshape(exchanged, [group * inputs, perGroup, ...kernel]);
  const axes = kernel.flatMap((size, i) => (size > 1 ? [i + 2] : []));
  if (axes.length === 0) return merged;
  const each = (value: number) => axes.map(() => value);
  return op.slice(merged, { axes, starts: each(-1), ends: each(-(2 ** 31)), steps: each(-1) });
}
