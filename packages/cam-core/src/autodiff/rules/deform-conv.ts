import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { float32, type Tensor } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { derived } from "../derived.ts";
import { defineRules, type VjpContext } from "../rule.ts";

/**
 * A deformable convolution reads x between its pixels, at the places of an ordinary one plus an offset for each, and weighs what
 * it reads by a mask. In simpler operators: the four pixels around each place, gathered and weighed, then a product with the
 * weights. On a whole pixel, as where the offsets are 0, the slope is that to the next pixel, as in PyTorch; GridSample's
 * coordinates, which round on the way, would choose either side.
 *
 * x [N, C, H, W], weights [M, C/g, kh, kw], offsets [N, og · K · 2, oh, ow] with K = kh · kw taps (y before x), mask
 * [N, og · K, oh, ow]. Each of the og groups of channels has places of its own.
 */
function deformed(context: VjpContext, inputs: readonly Value[]): Value[] {
  const { op, int, refuse } = context;
  const [x, w, offset, bias, mask] = inputs as [Value, Value, Value, Value?, Value?];
  const weights = op.dims(w);
  if (op.rank(x) !== 4) throw refuse("only images, with two axes of space, have a gradient rule");
  const kernel = context.ints("kernel_shape") ?? weights?.slice(2);
  if (!kernel?.every((size) => typeof size === "number"))
    throw refuse("the size of the kernel is not known before the run");
  const [groups, offsetGroups] = [int("group", 1), int("offset_group", 1)];
  const taps = kernel.reduce((a, b) => a * b, 1);
  const out = [op.dim(offset, 2), op.dim(offset, 3)] as const;
  const batch = op.dim(x, 0);
  const grouped = (value: Value, ...rest: Operand[]) =>
    op.reshape(value, op.sizes([op.mul(batch, offsetGroups), ...rest]));
  const places = op.mul(out[0], out[1]);

  const steps = grouped(offset, taps, 2, ...out); // [N · og, K, 2, oh, ow]
  const [down, right] = op.split(steps, { axis: 2, sizes: [1, 1], outputs: 2 }) as [Value, Value];
  const [rows, columns] = ([down, right] as const).map((step, axis) => {
    const at = op.add(op.squeeze(step, [2]), regularPlaces(context, kernel, out[axis]!, axis, op.dtype(x)));
    return neighbours(op, op.reshape(at, [0, -1]), op.dim(x, axis + 2)); // of K · places
  }) as [Neighbour[], Neighbour[]];
  const pairs = rows.flatMap((row) => columns.map((column) => [row, column] as const));
  const width = op.dim(x, 3);
  const pixels = op.concat(
    pairs.map(([row, column]) => op.add(op.mul(row.pixel, width), column.pixel)),
    1,
  ); // [N · og, 4 · K · places]
  const shares = pairs.map(([row, column]) => op.mul(row.share, column.share));
  const images = op.reshape(x, op.concat([op.mul(batch, offsetGroups), op.ints([-1]), op.count(x, [2, 3])], 0));
  const around = op.gatherND(op.transpose(images, [0, 2, 1]), op.unsqueeze(pixels, [2]), 1); // [N · og, 4 · K · places, C/og]
  const each = op.mul(around, op.unsqueeze(op.concat(shares, 1), [2]));
  const four = op.reshape(
    each,
    op.concat([op.mul(batch, offsetGroups), op.ints([4]), op.mul(places, taps), op.ints([-1])], 0),
  );
  const sum = op.transpose(op.reduceSum(four, { axes: [1], keepdims: false }), [0, 2, 1]);
  const read = op.reshape(sum, op.concat([op.ints([0, 0, taps]), places], 0)); // [N · og, C/og, K, places]
  const weighed = mask ? op.mul(read, op.unsqueeze(grouped(mask, taps, places), [1])) : read; // [N · og, C/og, K, places]

  const grid = op.reshape(weighed, op.concat([batch, op.ints([groups, -1]), places], 0)); // [N, g, C/g · K, places]
  const lines = op.concat([op.ints([groups]), op.div(op.dim(w, 0), groups), op.mul(op.dim(w, 1), taps)], 0);
  const product = op.matMul(op.reshape(w, lines), grid); // [N, g, M/g, places]
  const y = op.reshape(product, op.concat([batch, op.dim(w, 0), ...out], 0));
  return [bias ? op.add(y, op.reshape(bias, [-1, 1, 1])) : y];
}

/** Where the taps of an ordinary convolution lie along an axis, in pixels: [K, oh, 1] or [K, 1, ow]. */
function regularPlaces(
  { op, ints }: VjpContext,
  kernel: readonly number[],
  count: Value,
  axis: number,
  dtype: ReturnType<Builder["dtype"]>,
): Value {
  const stride = ints("strides")?.[axis] ?? 1;
  const begin = ints("pads")?.[axis] ?? 0;
  const dilation = ints("dilations")?.[axis] ?? 1;
  const taps = kernel[0]! * kernel[1]!;
  const own = Array.from({ length: taps }, (_, tap) => (axis === 0 ? Math.floor(tap / kernel[1]!) : tap % kernel[1]!));
  const offsets = op.constant(
    float32(
      [taps, 1, 1],
      own.map((at) => at * dilation - begin),
    ),
  );
  const windows = op.range(op.scalar(0, "int64"), op.squeeze(count, [0]), op.scalar(1, "int64"));
  const starts = op.reshape(op.mul(windows, stride), axis === 0 ? [-1, 1] : [1, -1]);
  return op.add(op.cast(offsets, dtype), op.cast(starts, dtype));
}

/** A pixel beside a place, and how much of it is read there. */
type Neighbour = { readonly pixel: Value; readonly share: Value };

/** The pixels before and after each place along an axis; what lies outside is read as 0, and a place a pixel outside isn't read. */
function neighbours(op: Builder, at: Value, size: Value): Neighbour[] {
  const dtype = op.dtype(at);
  const length = op.cast(size, dtype);
  const before = op.floor(at);
  const beyond = op.sub(at, before);
  const reached = op.and(op.greater(at, -1), op.less(at, length));
  return [before, op.add(before, 1)].map((pixel, i) => {
    const inside = op.and(reached, op.and(op.greaterOrEqual(pixel, 0), op.less(pixel, length)));
    const share = i === 0 ? op.sub(1, beyond) : beyond;
    const last = op.sub(length, 1);
    return { pixel: op.cast(op.min(op.max(pixel, 0), last), "int64"), share: op.where(inside, share, 0) };
  });
}

export const deformConv = defineRules({
  DeformConv: {
    kind: "kinked", // in the offsets, at whole pixels
    vjp: (context) => derived(context, (inputs) => deformed(context, inputs)),
    sample: (rng) => [
      {
        inputs: [rng.normal([1, 2, 4, 4]), rng.normal([2, 2, 2, 2]), offPixels(rng, [1, 8, 3, 3])],
        opset: 19,
      },
      {
        inputs: [
          rng.normal([2, 4, 5, 4]),
          rng.normal([2, 2, 3, 2]),
          offPixels(rng, [2, 24, 3, 2]),
          rng.normal([2]),
          rng.normal([2, 12, 3, 2]),
        ],
        attributes: { group: 2, offset_group: 2, strides: [2, 2], pads: [1, 0, 2, 1], dilations: [1, 2] },
        opset: 22,
        wrt: [0, 2, 4],
      },
      {
        inputs: [
          rng.normal([1, 2, 3, 3]),
          rng.normal([2, 2, 2, 2]),
          offPixels(rng, [1, 8, 2, 2]),
          rng.normal([2]),
          rng.normal([1, 4, 2, 2]),
        ],
        opset: 22,
        wrt: [1, 3],
      },
    ],
  },
});

/** Offsets that keep away from whole pixels, some of which lead outside. */
function offPixels(rng: Rng, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Array.from({ length: size }, () => rng.int(4) - 2 + 0.2 + 0.6 * rng.next()),
  );
}
