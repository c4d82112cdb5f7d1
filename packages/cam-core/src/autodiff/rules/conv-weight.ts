import type { Builder, Value } from "../../graph/builder.ts";
import { float32 } from "../../tensor.ts";
import { isFixed, padded, sizesOf, type Windows } from "./windows.ts";

/** Everything that decides how the weights' cotangent is written. */
type Site = {
  readonly op: Builder;
  readonly x: Value;
  readonly dy: Value;
  /** Of the weights: [M, C/group, ...k]. */
  readonly shape: readonly number[];
  readonly windows: Windows;
  readonly group: number;
};

/** One way to write it, and where it is the fastest that is known. */
type Form = { readonly fits: (site: Site) => boolean; readonly write: (site: Site) => Value };

/**
 * Backward of Conv over its weights [M, C/group, ...k]: each tap's cotangent is the product of dy with the pixels that the
 * tap read, summed over batch and space. Ways to write it, the first that fits; milliseconds on one thread, PyTorch in brackets:
 *
 *   unfolded   few input channels, or one filter each: a Conv    128×3×32², 3×3 to 32: 5.8, cut out 7.9 [4.0]
 *              whose kernels pick single taps, then products      16×96×48², depthwise, stride 2: 12, cut out 33 [4.4]
 *   shifted    stride 1: rows laid end to end, so that a tap      128×32×15², 3×3 to 32: 8.1, cut out 12.2 [5.3]
 *              is one run of memory; a product per tap            16×64×16², 3×3 to 64: 4.7, cut out 6.3 [3.2]
 *   banded     depthwise, short rows: products of whole rows,     16×144×24², 3×3: 8.9, cut out 13.5 [2.6]
 *              of which the diagonals are the taps                16×192×12², 3×3: 2.7, cut out 5.3 [0.4]
 *   cut out    the pixels of each tap cut out and joined,         16×64×16², 3×3 stride 2 to 128: 3.6 [1.9]
 *              then one product
 *   by Conv    more taps than that: Conv of x with dy as its kernel (batch and channels swapped, the stride becomes the
 *              dilation and the dilation the stride)
 */
export function weightCotangent(
  op: Builder,
  x: Value,
  dy: Value,
  shape: readonly number[],
  windows: Windows,
  group: number,
): Value {
  const site = { op, x, dy, shape, windows, group };
  return forms.find(({ fits }) => fits(site))!.write(site);
}

const forms: readonly Form[] = [
  {
    fits: ({ shape, windows, group }) =>
      group === 1 && shape[1]! <= 4 && isFixed(windows) && tapsOf(windows) > 1 && tapsOf(windows) <= mostTaps,
    write: byUnfolding,
  },
  {
    fits: ({ op, x, windows, group }) =>
      group === 1 &&
      isFixed(windows) &&
      windows.strides.every((stride) => stride === 1) &&
      tapsOf(windows) > 1 &&
      sizesOf(op, x).every((size) => size !== undefined),
    write: byShifts,
  },
  { fits: (site) => isDepthwise(site) && rowOf(site) <= longestRow, write: byBands },
  { fits: (site) => isDepthwise(site) && tapsOf(site.windows) <= mostTaps, write: byUnfolding },
  { fits: ({ windows }) => tapsOf(windows) <= mostTaps, write: byTaps },
  { fits: () => true, write: byConv },
];

/** Longest row whose products with whole rows are worth taking: all but a few of them are thrown away. */
const longestRow = 32;

/** One filter per channel, padding and sizes known. */
function isDepthwise({ op, x, shape, windows, group }: Site): boolean {
  const sizes = sizesOf(op, x);
  return group === shape[0] && shape[1] === 1 && isFixed(windows) && sizes.every((size) => size !== undefined);
}

function rowOf({ op, x }: Site): number {
  return sizesOf(op, x).at(-1)!;
}

/** Most taps of a kernel that are cut out one by one: 3×3×3. Beyond that the copies cost more than the product saves. */
const mostTaps = 27;

function tapsOf({ kernel }: Windows): number {
  return kernel.reduce((a, b) => a * b, 1);
}

/**
 * columns [N, C · taps, out] = Conv with kernels of single ones, channel by channel; then per sample and group
 * dy [M/group, out] times their transpose.
 */
function byUnfolding({ op, x, dy, shape, windows, group }: Site): Value {
  const [outputs, inputs] = shape as [number, number];
  const taps = tapsOf(windows);
  const rows = group * inputs * taps;
  const ones = new Float32Array(rows * taps);
  for (let row = 0; row < rows; row++) ones[row * taps + (row % taps)] = 1;
  const picking = op.cast(op.constant(float32([rows, 1, ...windows.kernel], ones)), op.dtype(x));
  const { strides, dilations, begins, ends } = windows;
  const pads = [...(begins as readonly number[]), ...(ends as readonly number[])];
  const columns = op.conv(x, picking, { group: group * inputs, strides, dilations, pads });
  const samples = op.dim(x, 0);
  const pixels = op.reshape(columns, op.sizes([samples, group, inputs * taps, -1]));
  const cotangents = op.reshape(dy, op.sizes([samples, group, outputs / group, -1]));
  const product = op.matMul(cotangents, op.transpose(pixels, [0, 1, 3, 2])); // [N, group, M/group, C/group * taps]
  return op.reshape(op.reduceSum(product, { axes: [0], keepdims: false }), shape);
}

/**
 * x padded and dy are laid out as [channels, N * run] with rows of the padded width, so that tap t reads x from one offset
 * on: the positions between dy's rows hold zeros and add nothing.
 */
function byShifts({ op, x, dy, shape, windows }: Site): Value {
  const [outputs, channels, ...kernel] = shape as [number, number, ...number[]];
  const { dilations } = windows;
  const begins = windows.begins as readonly number[];
  const ends = windows.ends as readonly number[];
  const wide = sizesOf(op, x).map((size, i) => size! + begins[i]! + ends[i]!);
  const out = wide.map((size, i) => size - windows.extents[i]! + 1);
  // Elements from one position to the next along each axis of the padded input.
  const strides = wide.map((_, i) => wide.slice(i + 1).reduce((a, b) => a * b, 1));
  const run = out.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1);
  const rows = op.reshape(padded(op, x, begins, ends), op.sizes([op.dim(x, 0), channels, -1]));
  const pixels = op.transpose(rows, [1, 0, 2]); // [C, N, padded]
  // The last axis alone may end early: what follows its last position is never read.
  const gaps = wide.map((size, i) => (i === 0 ? 0 : size - out[i]!));
  const spread = padded(
    op,
    dy,
    gaps.map(() => 0),
    gaps,
  );
  const flat = op.reshape(spread, op.sizes([op.dim(dy, 0), outputs, -1]));
  const whole = out[0]! * strides[0]!;
  const ended = whole === run ? flat : op.slice(flat, { axes: [2], starts: [0], ends: [run] });
  const cotangents = op.reshape(op.transpose(ended, [1, 0, 2]), [outputs, -1]); // [M, N * run]
  const products = positionsOf(kernel).map((tap) => {
    const start = tap.reduce((sum, at, i) => sum + at * dilations[i]! * strides[i]!, 0);
    const read = op.slice(pixels, { axes: [2], starts: [start], ends: [start + run] });
    const product = op.gemm(cotangents, op.reshape(read, [channels, -1]), { transB: true });
    return op.unsqueeze(product, [2]);
  });
  return op.reshape(op.concat(products, 2), shape);
}

/**
 * All rows of x against all rows of dy that a tap row brings together: [C, wide, out], where entry (j · stride + tap, j) is a
 * product of tap `tap`. A product with 0 and 1 adds those up.
 */
function byBands({ op, x, dy, shape, windows }: Site): Value {
  const [channels, , ...kernel] = shape as [number, number, ...number[]];
  const { strides, dilations } = windows;
  const begins = windows.begins as readonly number[];
  const ends = windows.ends as readonly number[];
  const last = kernel.length - 1;
  const spatial = kernel.map((_, i) => i + 2);
  const wide = sizesOf(op, x).map((size, i) => size! + begins[i]! + ends[i]!);
  const out = wide.map((size, i) => Math.floor((size - windows.extents[i]!) / strides[i]!) + 1);
  const [across, along] = [wide[last]!, out[last]!];
  const pixels = op.transpose(padded(op, x, begins, ends), [1, 0, ...spatial]); // [C, N, ...wide]
  const cotangents = op.reshape(op.transpose(dy, [1, 0, ...spatial]), [channels, -1, along]);
  const diagonals = new Float32Array(across * along * kernel[last]!);
  for (let tap = 0; tap < kernel[last]!; tap++)
    for (let j = 0; j < along; j++)
      diagonals[((j * strides[last]! + tap * dilations[last]!) * along + j) * kernel[last]! + tap] = 1;
  const picking = op.cast(op.constant(float32([across * along, kernel[last]!], diagonals)), op.dtype(x));
  const found = positionsOf(kernel.slice(0, last)).map((tap) => {
    const axes = tap.map((_, i) => i + 2);
    const starts = tap.map((at, i) => at * dilations[i]!);
    const stops = starts.map((start, i) => start + (out[i]! - 1) * strides[i]! + 1);
    const steps = strides.slice(0, last);
    const rows = axes.length === 0 ? pixels : op.slice(pixels, { axes, starts, ends: stops, steps });
    const met = op.matMul(op.transpose(op.reshape(rows, [channels, -1, across]), [0, 2, 1]), cotangents);
    return op.matMul(op.reshape(met, [channels, across * along]), picking); // [C, taps of a row]
  });
  return op.reshape(op.concat(found, 1), shape);
}

function byTaps({ op, x, dy, shape, windows, group }: Site): Value {
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

function byConv({ op, x, dy, shape, windows, group }: Site): Value {
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
