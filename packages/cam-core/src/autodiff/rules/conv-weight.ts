import type { Builder, Value } from "../../graph/builder.ts";
import { isFixed, padded, type Windows } from "./windows.ts";

/** Most taps of a kernel that are cut out one by one: 3×3×3. Beyond that the copies cost more than the product saves. */
const mostTaps = 27;

/**
 * Backward of Conv over its weights [M, C/group, ...k]: each tap's cotangent is the product of dy with the pixels that the
 * tap read, summed over batch and space.
 *
 *   few taps    the pixels of each tap cut out and joined, then one product    8×64×28², 3×3: 8.9 ms on one thread
 *   many        Conv of x with dy as its kernel (batch and channels swapped,   the same: 12.9 ms; depthwise 5.3, cut out 3.7
 *               the stride becomes the dilation and the dilation the stride)
 */
export function weightCotangent(
  op: Builder,
  x: Value,
  dy: Value,
  shape: readonly number[],
  windows: Windows,
  group: number,
): Value {
  const taps = windows.kernel.reduce((a, b) => a * b, 1);
  return (taps <= mostTaps ? byTaps : byConv)(op, x, dy, shape, windows, group);
}

function byTaps(op: Builder, x: Value, dy: Value, shape: readonly number[], windows: Windows, group: number): Value {
  const [outputs, inputs] = shape as [number, number];
  const { kernel, strides, dilations, begins, ends } = windows;
  const axes = kernel.map((_, i) => i + 3);
  const grouped = split(op, padded(op, x, begins, ends), group, inputs);
  const channels = op.transpose(grouped, [1, 2, 0, ...axes]); // [group, C/group, N, ...in]
  const reach = op.add(op.mul(op.sub(op.shape(dy, 2), 1), op.ints(strides)), 1);
  const cut = (tap: readonly number[]) => {
    const starts = op.ints(tap.map((at, i) => at * dilations[i]!));
    return op.slice(channels, { axes, starts, ends: op.add(reach, starts), steps: strides });
  };
  const taps = kernel.reduce((a, b) => a * b, 1);
  const whole = taps === 1 && strides.every((stride) => stride === 1);
  const read = whole ? channels : op.concat(positionsOf(kernel).map(cut), 1); // [group, taps * C/group, N, ...out]
  const pixels = op.reshape(read, [group, taps * inputs, -1]);
  const perGroup = outputs / group;
  const cotangents = op.reshape(
    op.transpose(split(op, dy, group, perGroup), [1, 2, 0, ...axes]), // [group, M/group, N, ...out]
    [group, perGroup, -1],
  );
  const product = op.matMul(cotangents, op.transpose(pixels, [0, 2, 1]));
  return op.reshape(op.transpose(op.reshape(product, [outputs, taps, inputs]), [0, 2, 1]), shape);
}

function byConv(op: Builder, x: Value, dy: Value, shape: readonly number[], windows: Windows, group: number): Value {
  const [, inputs] = shape as [number, number];
  const { strides, dilations, kernel, begins, ends } = windows;
  const fixed = isFixed(windows);
  const spatial = kernel.map((_, i) => i + 2);
  const from = fixed ? x : padded(op, x, begins, ends);
  // The group's channels become the batch; what is summed, the batch, becomes the channels of each group.
  const swapped = op.transpose(split(op, from, group, inputs), [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  const summed = group === 1 ? op.dim(x, 0) : op.mul(op.dim(x, 0), group);
  const rows = op.sizes([inputs, summed, ...spatial.map((axis) => op.dim(from, axis))]);
  const found = op.conv(op.reshape(swapped, rows), op.transpose(dy, [1, 0, ...spatial]), {
    strides: dilations,
    dilations: strides,
    group,
    ...(fixed ? { pads: [...windows.begins, ...windows.ends] } : {}),
  });
  // Pixels that no window read make it longer than the kernel.
  const spared = strides.some((stride) => stride > 1);
  const cut = spared ? op.slice(found, { axes: spatial, starts: kernel.map(() => 0), ends: kernel }) : found;
  return op.reshape(op.transpose(cut, [1, 0, ...spatial]), shape);
}

/** [N, group * channels, ...] as [N, group, channels, ...]. */
function split(op: Builder, x: Value, group: number, channels: number): Value {
  const spatial = Array.from({ length: op.rank(x) - 2 }, (_, i) => op.dim(x, i + 2));
  return op.reshape(x, op.sizes([op.dim(x, 0), group, channels, ...spatial]));
}

/** Every position inside a kernel, row-major. */
function positionsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (positions, size) => positions.flatMap((position) => Array.from({ length: size }, (_, at) => [...position, at])),
    [[]],
  );
}
