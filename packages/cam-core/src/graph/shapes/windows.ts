import { addDims, ceilDivDims, divDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext } from "../infer.ts";

/** How a window moves over the spatial axes: what Conv and the pools have in common. */
export type Windows = {
  readonly kernel: Shape;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of all axes, then ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
};

export function windowsOf(node: ShapeContext, kernel: Shape): Windows {
  const each = (value: number, count = kernel.length) => Array<number>(count).fill(value);
  const autoPad = node.string("auto_pad", "NOTSET");
  return {
    kernel,
    strides: node.ints("strides") ?? each(1),
    dilations: node.ints("dilations") ?? each(1),
    pads: (autoPad === "NOTSET" || autoPad === "" ? node.ints("pads") : undefined) ?? each(0, 2 * kernel.length),
    autoPad,
  };
}

/**
 * How many windows fit on each axis.
 *
 *   floor((size + pads - extent) / stride) + 1      extent = (kernel - 1) * dilation + 1
 *
 * With ceil_mode the last window may reach beyond the end, but it must start inside the input or the padding before it:
 * no more than floor((size + padBegin - 1) / stride) + 1. SAME gives ceil(size / stride). All of these are written as one
 * floor, so that a 3×3 and a 1×1 window of stride 2 name the same size.
 */
export function windowCounts(spatial: Shape, windows: Windows, ceil = false): Shape {
  const { kernel, strides, dilations, pads, autoPad } = windows;
  return spatial.map((size, i): Dim => {
    const stride = strides[i] ?? 1;
    if (autoPad.startsWith("SAME")) return ceilDivDims(size, stride);
    const window = kernel[i];
    if (typeof window !== "number") return null;
    const extent = (window - 1) * (dilations[i] ?? 1) + 1;
    const begin = pads[i] ?? 0;
    const end = pads[i + kernel.length] ?? 0;
    const added = ceil
      ? Math.min(begin + end - extent + 2 * stride - 1, begin - 1 + stride)
      : begin + end - extent + stride;
    return divDims(addDims(size, added), stride);
  });
}
