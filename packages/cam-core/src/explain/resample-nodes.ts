import type { Builder, Value } from "../graph/builder.ts";
import type { Kernel, ResizeManifest } from "../model/manifest.ts";

/*
 * Resizing of pictures as graph nodes, what `image/resample` does, which is Pillow. ONNX's own Resize isn't used:
 * with antialias, ONNX Runtime 1.30 is up to 9 of 255 off the filter on the CPU and throws on WebGPU, and it has no Lanczos.
 * A row of weights per output position, times the picture: two dense products, some 30 ms for 1920 x 1080 to 224 x 224.
 */

/** A picture's size, rows and columns, as scalar int64 values. */
export type Size = { readonly height: Value; readonly width: Value };

/** Keys' cubic convolution of t >= 0. */
const cubic = (op: Builder, t: Value, a: number) => {
  const near = op.add(op.mul(op.mul(op.sub(op.mul(t, a + 2), a + 3), t), t), 1);
  const far = op.mul(op.sub(op.mul(op.add(op.mul(op.sub(t, 5), t), 8), t), 4), a);
  return op.where(op.less(t, 1), near, op.where(op.less(t, 2), far, 0));
};

/** sin(πt) / πt, 1 at 0. */
const sinc = (op: Builder, t: Value) => {
  const zero = op.equal(t, 0);
  const x = op.mul(op.where(zero, 1, t), Math.PI);
  return op.where(zero, 1, op.div(op.sin(x), x));
};

/** The filters of `image/resample`: of t >= 0, the distance from the centre. How far each reaches. */
const filters: Readonly<
  Record<Exclude<Kernel, "nearest">, { reach: number; weight: (op: Builder, t: Value, antialias: boolean) => Value }>
> = {
  bilinear: { reach: 1, weight: (op, t) => op.relu(op.sub(1, t)) },
  bicubic: { reach: 2, weight: (op, t, antialias) => cubic(op, t, antialias ? -0.5 : -0.75) },
  lanczos3: {
    reach: 3,
    weight: (op, t) => op.where(op.less(t, 3), op.mul(sinc(op, t), sinc(op, op.div(t, 3))), 0),
  },
};

/** Planes [N, C, H, W] of whole numbers in 0..255 at another size, as whole numbers again: rounded after each pass. */
export function resized(op: Builder, planes: Value, from: Size, to: Size, how: ResizeManifest): Value {
  const across = along(op, planes, 3, [from.width, to.width], how);
  return along(op, across, 2, [from.height, to.height], how);
}

function along(op: Builder, x: Value, axis: 2 | 3, [from, to]: readonly [Value, Value], how: ResizeManifest): Value {
  const { kernel, antialias } = how;
  const outputs = op.range(op.scalar(0, "int64"), to, op.scalar(1, "int64")); // [to]
  const centre = op.mul(op.add(op.mul(outputs, 2), 1), from); // of each output, in units of 1 / 2·to
  if (kernel === "nearest") return op.gather(x, op.min(op.div(centre, op.mul(to, 2)), op.sub(from, 1)), axis);
  const filter = filters[kernel];
  // Without antialias the edge stands in for what lies beyond it; with it, what lies beyond doesn't count.
  const beyond = antialias ? 0 : filter.reach;
  const pads = Array.from({ length: 8 }, (_, i) => (i % 4 === axis ? beyond : 0));
  const source = beyond === 0 ? x : op.pad(x, pads, 0, "edge");
  const inputs = op.range(op.scalar(-beyond, "int64"), op.add(from, beyond), op.scalar(1, "int64"));
  // Whole numbers below 2^24 until the division, so that float32 places every tap exactly.
  const taps = op.mul(op.add(op.mul(inputs, 2), 1), to);
  const distance = op.cast(op.sub(op.unsqueeze(taps, [0]), op.unsqueeze(centre, [1])), "float32");
  const unit = op.mul(antialias ? op.max(from, to) : to, 2);
  const weights = filter.weight(op, op.abs(op.div(distance, op.cast(unit, "float32"))), antialias); // [to, from]
  const rows = op.div(weights, op.reduceSum(weights, { axes: [1] }));
  const product = axis === 3 ? op.matMul(source, op.transpose(rows, [1, 0])) : op.matMul(rows, source);
  return op.clip(op.floor(op.add(product, 0.5)), 0, 255);
}
