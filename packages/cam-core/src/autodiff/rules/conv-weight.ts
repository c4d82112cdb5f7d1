import type { Builder, Value } from "../../graph/builder.ts";
import { float32, positionsOf, sizeOf } from "../../tensor.ts";
import { byCrossing, byUnfolding, canCross } from "./conv-weight-unfolded.ts";
import { type FixedWindows, isFixed, padded, sizesOf, type Windows } from "./windows.ts";

/** Everything that decides how the weights' cotangent is written. */
export type Site = {
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
 *   positions  wide layers, small maps: positions outermost, so   16×128×8², 3×3 to 128: 4.6, cut out 5.3 [3.3]
 *              that a tap picks rows of N · C; one product        (two threads: 2.7, 3.9 [1.4])
 *   shifted    stride 1: rows laid end to end, so that a tap      128×32×15², 3×3 to 32: 9.2, cut out 12.2 [5.3]
 *              is one run of memory; a product per tap and        16×64×16², 3×3 to 64: 5.2, cut out 6.3 [3.2]
 *              sample, which threads share
 *   crossed    depthwise volumes: x unfolded by two axes, dy     4×32×16×64², 3×3×3: 287, unfolded 625
 *              by the first, then products                        4×72×8×32², 5×5×5: 218, banded 445
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
    fits: (site) => isKnown(site) && site.shape[1]! >= 64 && sizeOf(outOf(site)) <= fewPositions,
    write: byPositions,
  },
  { fits: (site) => isKnown(site) && site.windows.strides.every((stride) => stride === 1), write: byShifts },
  {
    fits: (site) => isDepthwise(site) && canCross(site) && (rowOf(site) >= 16 || tapsOf(site.windows) > mostTaps),
    write: byCrossing,
  },
  { fits: (site) => isDepthwise(site) && rowOf(site) <= longestRow, write: byBands },
  { fits: (site) => isDepthwise(site) && tapsOf(site.windows) <= mostTaps, write: byUnfolding },
  { fits: ({ windows }) => tapsOf(windows) <= mostTaps, write: byTaps },
  { fits: () => true, write: byConv },
];

/** Most output positions for which positions are laid outermost. */
const fewPositions = 100;

/** One group, padding and sizes known, a kernel of several taps but not of many. */
function isKnown({ op, x, windows, group }: Site): boolean {
  const taps = tapsOf(windows);
  const sizes = sizesOf(op, x);
  return group === 1 && taps > 1 && taps <= mostTaps && isFixed(windows) && sizes.every((size) => size !== undefined);
}

/** Sizes of the output, where those of the input and the padding are known. */
function outOf({ op, x, windows }: Site): number[] {
  const { strides, extents, begins, ends } = windows as FixedWindows;
  return sizesOf(op, x).map((size, i) => Math.floor((size! + begins[i]! + ends[i]! - extents[i]!) / strides[i]!) + 1);
}

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
  return sizeOf(kernel);
}

/**
 * pixels [taps, out · N, C] = rows of x [in, N · C] picked by tap and output position, a row of zeros for the padding; then
 * dy [M, out · N] times each.
 */
function byPositions(site: Site): Value {
  const { op, x, dy, shape, windows } = site;
  const [outputs, channels, ...kernel] = shape as [number, number, ...number[]];
  const { strides, dilations, begins } = windows as FixedWindows;
  const size = sizesOf(op, x) as number[];
  const zeros = sizeOf(size); // the index of that row
  const picked = positionsOf(kernel).flatMap((tap) =>
    positionsOf(outOf(site)).map((to) => {
      const from = to.map((at, i) => at * strides[i]! + tap[i]! * dilations[i]! - begins[i]!);
      if (from.some((at, i) => at < 0 || at >= size[i]!)) return zeros;
      return from.reduce((sum, at, i) => sum * size[i]! + at, 0);
    }),
  );
  const rows = op.transpose(op.reshape(x, [-1, zeros]), [1, 0]);
  const padding = picked.includes(zeros) ? op.pad(rows, [0, 0, 1, 0]) : rows;
  const pixels = op.reshape(op.gather(padding, op.ints(picked)), [tapsOf(windows), -1, channels]);
  const cotangents = op.reshape(op.transpose(op.reshape(dy, [-1, sizeOf(outOf(site))]), [1, 0]), [-1, outputs]);
  const products = op.matMul(op.transpose(cotangents, [1, 0]), pixels); // [taps, M, C]
  return op.reshape(op.transpose(products, [1, 2, 0]), shape);
}

/**
 * x padded and dy are laid out as [N, channels, run] with rows of the padded width, so that tap t reads x from one offset on:
 * the positions between dy's rows hold zeros and add nothing.
 */
function byShifts(site: Site): Value {
  const { op, x, dy, shape, windows } = site;
  const [outputs, channels, ...kernel] = shape as [number, number, ...number[]];
  const { dilations, begins, ends } = windows as FixedWindows;
  const wide = sizesOf(op, x).map((size, i) => size! + begins[i]! + ends[i]!);
  const out = outOf(site);
  // Elements from one position to the next along each axis of the padded input.
  const strides = wide.map((_, i) => sizeOf(wide.slice(i + 1)));
  const run = out.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1);
  const pixels = op.reshape(padded(op, x, begins, ends), op.sizes([op.dim(x, 0), channels, -1]));
  // The last axis alone may end early: what follows its last position is never read.
  const gaps = wide.map((size, i) => (i === 0 ? 0 : size - out[i]!));
  const none = gaps.map(() => 0);
  const spread = op.reshape(padded(op, dy, none, gaps), op.sizes([op.dim(dy, 0), outputs, -1]));
  const whole = out[0]! * strides[0]!;
  const cotangents = whole === run ? spread : op.slice(spread, { axes: [2], starts: [0], ends: [run] });
  const products = positionsOf(kernel).map((tap) => {
    const start = tap.reduce((sum, at, i) => sum + at * dilations[i]! * strides[i]!, 0);
    const read = op.slice(pixels, { axes: [2], starts: [start], ends: [start + run] });
    const each = op.matMul(cotangents, op.transpose(read, [0, 2, 1])); // [N, M, C]
    return op.unsqueeze(op.reduceSum(each, { axes: [0], keepdims: false }), [2]);
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
  const products = op.matMul(cotangents, op.transpose(pixels, [0, 2, 1]));
  return op.reshape(op.transpose(op.reshape(products, [outputs, taps, inputs]), [0, 2, 1]), shape);
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
