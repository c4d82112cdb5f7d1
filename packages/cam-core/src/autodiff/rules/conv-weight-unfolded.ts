import type { Value } from "../../graph/builder.ts";
import { isStatic } from "../../graph/dims.ts";
import { float32, sizeOf } from "../../tensor.ts";
import type { Site } from "./conv-weight.ts";

/**
 * columns [N, C · taps, out] = Conv with kernels of single ones, channel by channel; then per sample and group
 * dy [M/group, out] times their transpose.
 */
export function byUnfolding(site: Site): Value {
  const { op, shape, windows, group } = site;
  const [outputs, inputs] = shape as [number, number];
  const taps = sizeOf(windows.kernel);
  const { strides, dilations, begins, ends } = windows;
  const pads = [...(begins as readonly number[]), ...(ends as readonly number[])];
  return inRounds(site, group * inputs * taps, (x, dy) => {
    const columns = op.conv(x, picking(site, group * inputs, windows.kernel), {
      group: group * inputs,
      ...{ strides, dilations, pads },
    });
    const samples = op.dim(x, 0);
    const pixels = op.reshape(columns, op.sizes([samples, group, inputs * taps, -1]));
    const cotangents = op.reshape(dy, op.sizes([samples, group, outputs / group, -1]));
    return op.matMul(cotangents, op.transpose(pixels, [0, 1, 3, 2])); // [N, group, M/group, C/group * taps]
  });
}

/** Whether `byCrossing` can write it: depthwise over three axes, by single steps along the first, padded by less than the kernel. */
export function canCross({ windows }: Site): boolean {
  const { kernel, strides, dilations } = windows;
  const [first] = kernel as [number];
  const [begin, end] = [windows.begins[0], windows.ends[0]] as [number, number];
  return kernel.length === 3 && first > 1 && strides[0] === 1 && dilations[0] === 1 && Math.max(begin, end) < first;
}

/**
 * Taps of one channel as a table, rows by the first axis and columns by the other two: x is unfolded by those, dy by the first,
 * and their product over all positions has every tap. Of kernel k³ that is k + k² copies instead of k³.
 *
 *   dw[t, u] = Σ over z, p of dy[z - t + begin, p] · x[z, p · stride + u]        z: positions of x, p: of dy
 */
export function byCrossing(site: Site): Value {
  const { op, shape, windows } = site;
  const [channels] = shape as [number];
  const { kernel, strides, dilations } = windows;
  const [first, ...others] = kernel as [number, ...number[]];
  const begins = windows.begins as readonly number[];
  const ends = windows.ends as readonly number[];
  const around = first - 1;
  return inRounds(site, channels * (sizeOf(others) + first), (x, dy) => {
    const columns = op.conv(x, picking(site, channels, [1, ...others]), {
      group: channels,
      ...{ strides, dilations, pads: [0, ...begins.slice(1), 0, ...ends.slice(1)] },
    });
    // A tap further on reads a row of dy further back: the kernel's order is turned round.
    const rows = op.conv(dy, picking(site, channels, [first, 1, 1], true), {
      group: channels,
      pads: [around - begins[0]!, 0, 0, around - ends[0]!, 0, 0],
    });
    const samples = op.dim(x, 0);
    const pixels = op.reshape(columns, op.sizes([samples, channels, sizeOf(others), -1]));
    const cotangents = op.reshape(rows, op.sizes([samples, channels, first, -1]));
    return op.matMul(cotangents, op.transpose(pixels, [0, 1, 3, 2])); // [N, C, first, others]
  });
}

/** Kernels of single ones, [channels · taps, 1, ...kernel]: each picks one tap of its channel. */
function picking({ op, x }: Site, channels: number, kernel: readonly number[], turned = false): Value {
  const taps = sizeOf(kernel);
  const ones = new Float32Array(channels * taps * taps);
  for (let row = 0; row < channels * taps; row++) {
    const tap = row % taps;
    ones[row * taps + (turned ? taps - 1 - tap : tap)] = 1;
  }
  return op.cast(op.constant(float32([channels * taps, 1, ...kernel], ones)), op.dtype(x));
}

/** Most elements of the columns: 64 MB. 4×32×16×64², depthwise 3×3×3, crossed: 403 MB at once, at the same speed. */
const mostElements = 1 << 24;

/**
 * The sum of products over all samples, in the weights' shape. Columns hold every pixel `columns` times: of large volumes, few
 * samples are taken at a time.
 */
function inRounds(site: Site, columns: number, product: (x: Value, dy: Value) => Value): Value {
  const { op, x, dy, shape } = site;
  const rounds = roundsOf(site, columns);
  const samples = op.dims(x)![0] as number;
  const cut = (value: Value, i: number) => {
    const [begin, end] = [i, i + 1].map((at) => Math.floor((at * samples) / rounds)) as [number, number];
    return rounds === 1 ? value : op.slice(value, { axes: [0], starts: [begin], ends: [end] });
  };
  const parts = Array.from({ length: rounds }, (_, i) =>
    op.reduceSum(product(cut(x, i), cut(dy, i)), { axes: [0], keepdims: false }),
  );
  return op.reshape(
    parts.reduce((sum, part) => op.add(sum, part)),
    shape,
  );
}

/** One round where a size isn't known. */
function roundsOf({ op, x, dy }: Site, columns: number): number {
  const [samples, , ...out] = op.dims(dy) ?? [];
  if (!isStatic(out) || typeof samples !== "number" || samples !== op.dims(x)?.[0]) return 1;
  return Math.min(samples, Math.ceil((samples * columns * sizeOf(out)) / mostElements));
}
