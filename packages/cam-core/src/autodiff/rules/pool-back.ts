import type { Builder, PoolAttributes, Value } from "../../graph/builder.ts";
import type { VjpContext } from "../rule.ts";
import { backAlongAxes } from "./per-axis.ts";
import {
  cutTo,
  type FixedWindows,
  isFixed,
  marginsOf,
  repeated,
  sizesOf,
  spares,
  type Windows,
  windowsOf,
  withZerosBetween,
} from "./windows.ts";

/**
 * Backward of AveragePool: every output pixel spreads its cotangent, divided by the number of its pixels, over its window.
 *
 *   windows side by side      repeat the pixels                     2×2 of 128×56²: 0.06 ms, depthwise ConvTranspose 0.23
 *   others                    the same windows, pixel by pixel,     3×3 at stride 2 of 64×112²: 0.5 ms, and 0.8
 *                             over dy with zeros between
 *   windows beyond the pads   a matrix for each axis: this very     the same: 1.3 ms
 *   (ceil_mode), with gaps,   pool of the identity
 *   SAME on unknown sizes
 */
export function averageBack(context: VjpContext): Value {
  const { op, inputs, dy, int } = context;
  const x = inputs[0]!;
  const windows = poolWindows(context);
  const count_include_pad = int("count_include_pad", 0);
  if (!isPlain(context, windows)) {
    const pool = (eye: Value, along: PoolAttributes) => op.averagePool(eye, { ...along, count_include_pad });
    return backAlongAxes(op, dy, x, axisMatrices(context, windows, pool));
  }
  const padless = [...windows.begins, ...windows.ends].every((pad) => pad === 0);
  if (padless || count_include_pad === 1) return spreadMean(op, dy, x, windows);
  // Where padding doesn't count, windows on the border have fewer pixels. The pool of ones says by how much.
  const ones = op.expand(op.scalar(1, op.dtype(x)), op.concat([op.ints([1, 1]), op.shape(x, 2)], 0));
  const { kernel: kernel_shape, strides, begins, ends } = windows;
  const share = op.averagePool(ones, { kernel_shape, strides, pads: [...begins, ...ends], count_include_pad: 1 });
  return spreadMean(op, dy, x, windows, op.reciprocal(share));
}

/** Backward of a sum over windows: every output pixel spreads its whole cotangent over its window. */
export function sumBack(context: VjpContext, dy: Value): Value {
  const { op, inputs } = context;
  const x = inputs[0]!;
  const windows = poolWindows(context);
  if (isPlain(context, windows)) return spreadMean(op, op.mul(dy, sizeOf(windows)), x, windows);
  // The largest entry that a window meets in a row of the identity is 1 where the window covers it, else 0.
  const covered = (eye: Value, along: PoolAttributes) => op.maxPool(eye, along);
  return backAlongAxes(op, dy, x, axisMatrices(context, windows, covered));
}

export function poolWindows(context: VjpContext): Windows {
  return windowsOf(context, context.ints("kernel_shape") ?? [], context.inputs[0]!, context.outputs[0]!);
}

/** Every output pixel, times its weight, as a mean over its window: `weights` [1, 1, ...out], 1 where there are none. */
function spreadMean(op: Builder, dy: Value, x: Value, windows: FixedWindows, weights?: Value): Value {
  const { kernel, strides, extents, begins, ends } = windows;
  const margins = marginsOf(op, x, windows);
  const sideBySide = spares(op, x, windows).every(
    (spare, i) => spare === 0 && strides[i] === extents[i] && begins[i] === 0 && ends[i] === 0,
  );
  if (sideBySide) return op.shapedLike(repeated(op, op.mul(dy, 1 / sizeOf(windows)), strides), x);
  const unit = strides.every((stride) => stride === 1);
  const weighted = unit && weights ? op.mul(dy, weights) : dy;
  const spread = unit ? weighted : withZerosBetween(op, dy, strides, weights);
  const dx = op.averagePool(spread, { kernel_shape: kernel, pads: margins, count_include_pad: 1 });
  return cutTo(op, dx, x, windows);
}

/**
 * Whether every window lies within the input and its padding, so that all have the same number of pixels, and pads are what
 * the runtime lets a pool have: no wider than the kernel, its gaps not counted.
 */
function isPlain(context: VjpContext, windows: Windows): windows is FixedWindows {
  if (windows.dilations.some((dilation) => dilation !== 1) || !isFixed(windows)) return false;
  if (marginsOf(context.op, context.inputs[0]!, windows).some((pad) => pad < 0)) return false;
  return overhangs(context, windows).every((overhang) => overhang === false);
}

/** Whether the last window, by ceil_mode, reaches beyond the input and its padding, for each axis; undefined where unknown. */
function overhangs({ op, inputs, outputs, int }: VjpContext, windows: Windows): (boolean | undefined)[] {
  const counts = sizesOf(op, outputs[0]!);
  return sizesOf(op, inputs[0]!).map((size, i) => {
    const count = counts[i];
    if (int("ceil_mode", 0) === 0) return false;
    if (size === undefined || count === undefined || !isFixed(windows)) return undefined;
    const { strides, extents, begins, ends } = windows;
    return (count - 1) * strides[i]! + extents[i]! > size + begins[i]! + ends[i]!;
  });
}

/** For each axis that the windows move on, what the pool makes of the identity along it: [in, out]. */
function axisMatrices(
  context: VjpContext,
  windows: Windows,
  pool: (eye: Value, along: PoolAttributes) => Value,
): Map<number, Value> {
  const { op, inputs, ints, int, string } = context;
  const { kernel, strides, dilations } = windows;
  const overhanging = overhangs(context, windows);
  const x = inputs[0]!;
  const pads = ints("pads");
  const matrices = new Map<number, Value>();
  kernel.forEach((size, i) => {
    const padding = pads && [pads[i]!, pads[i + kernel.length]!];
    if (size === 1 && strides[i] === 1 && (padding ?? []).every((pad) => pad === 0)) return;
    const length = op.dim(x, i + 2);
    const rows = op.unsqueeze(op.eye(length, op.dtype(x)), [1]);
    const pooled = pool(rows, {
      kernel_shape: [size],
      strides: [strides[i]!],
      ...(dilations[i] === 1 ? {} : { dilations: [dilations[i]!] }),
      pads: padding,
      auto_pad: string("auto_pad", "NOTSET"),
      // Only where it matters: ONNX's shape inference counts a window that starts beyond the input, the runtime doesn't.
      ceil_mode: overhanging[i] === false ? 0 : int("ceil_mode", 0),
    });
    matrices.set(i + 2, op.squeeze(pooled, [1]));
  });
  return matrices;
}

function sizeOf({ kernel }: Windows): number {
  return kernel.reduce((a, b) => a * b, 1);
}
