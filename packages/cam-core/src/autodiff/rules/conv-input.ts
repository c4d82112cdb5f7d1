import type { Builder, Value } from "../../graph/builder.ts";
import { isStatic } from "../../graph/dims.ts";
import { type FixedWindows, isFixed, sizesOf, type Windows } from "./windows.ts";

/**
 * Backward of Conv over its input: every output pixel spreads its cotangent over the window that it read. Three ways to
 * write the same sum, each the fastest on the CPU for some shapes (milliseconds, one thread):
 *
 *   stride 1              Conv with the weights rotated     depthwise 3×3 at 14², 384 channels: 0.08, ConvTranspose 0.57
 *   depthwise, strided    zeros between pixels, then that   3×3 at 112², 96 channels: 0.84, ConvTranspose 1.20
 *   otherwise             ConvTranspose                     3×3 to 3 channels at 224²: 6.9, Conv 12.0
 */
export function inputCotangent(op: Builder, dy: Value, w: Value, x: Value, windows: Windows, group: number): Value {
  const shape = op.dims(w);
  if (isFixed(windows) && isStatic(shape)) {
    const left = windows.extents.map((extent, i) => extent - 1 - windows.begins[i]!);
    const right = spares(op, x, windows).map(
      (spare, i) => windows.extents[i]! - windows.strides[i]! - windows.ends[i]! + (spare ?? windows.strides[i]! - 1),
    );
    const unit = windows.strides.every((stride) => stride === 1);
    const depthwise = shape.length === 4 && shape[0] === group && shape[1] === 1;
    // Few channels make ConvTranspose's product a small one.
    const narrow = group === 1 && shape[1]! <= 8 && shape[0]! > shape[1]!;
    if ([...left, ...right].every((pad) => pad >= 0) && (unit ? !narrow : depthwise)) {
      const spread = unit ? dy : withZerosBetween(op, dy, windows.strides);
      const pads = [...left, ...right];
      const dx = op.conv(spread, rotated(op, w, shape, group), { dilations: windows.dilations, pads, group });
      return cutTo(op, dx, x, windows);
    }
  }
  return transposed(op, dy, w, x, windows, group);
}

/** Pixels at the end of each axis that no window reads; undefined where the size is not known. */
function spares(op: Builder, x: Value, { strides, extents, begins, ends }: FixedWindows): (number | undefined)[] {
  return sizesOf(op, x).map((size, i) => {
    if (strides[i] === 1) return 0;
    return size === undefined ? undefined : (size + begins[i]! + ends[i]! - extents[i]!) % strides[i]!;
  });
}

/** Cuts axes whose size was not known, and which were therefore made as long as they can be, to those of x. */
function cutTo(op: Builder, dx: Value, x: Value, windows: FixedWindows): Value {
  const open = spares(op, x, windows).flatMap((spare, i) => (spare === undefined ? [i + 2] : []));
  if (open.length === 0) return op.shapedLike(dx, x);
  const ends = op.concat(
    open.map((axis) => op.dim(x, axis)),
    0,
  );
  const cut = op.slice(dx, { axes: open, starts: open.map(() => 0), ends });
  return op.shapedLike(cut, x);
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

/**
 * stride - 1 zeros after each pixel: pixels repeated, then masked. The runtime has a fast kernel for repeating, none for
 * writing with gaps; a product and not a choice, since that stays in the blocked layout of the convolution after it.
 */
function withZerosBetween(op: Builder, dy: Value, strides: readonly number[]): Value {
  const repeated = op.resize(
    dy,
    { scales: [1, 1, ...strides] },
    { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  );
  const one = op.scalar(1, op.dtype(dy));
  const plane = op.expand(one, op.concat([op.ints([1, 1]), op.shape(dy, 2)], 0));
  const tap = op.reshape(one, [1, 1, ...strides.map(() => 1)]);
  const output_padding = strides.map((stride) => stride - 1);
  return op.mul(repeated, op.convTranspose(plane, tap, { strides, output_padding }));
}
