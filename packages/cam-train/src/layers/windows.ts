import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { type NetworkBuilder, shapeText } from "../network/network-builder.ts";
import { counts, perAxis } from "./define-layer.ts";

/** Options of everything that slides over space. */
export const paddingSchema = z.union([
  z.enum(["valid", "same"]),
  z.int().nonnegative(),
  z.array(z.int().nonnegative()).min(1),
]);

export type Padding = z.output<typeof paddingSchema>;

export const windowOptions = {
  stride: counts.exactOptional(),
  padding: paddingSchema.default("valid"),
  dilation: counts.default(1),
};

type Asked = { stride?: number | number[]; padding: Padding; dilation: number | number[] };

/**
 * A window's attributes, as ONNX wants them, for an input [N, C, ...space].
 *
 * `same` keeps ceil(size / stride) positions; an odd pad more goes to the end (TensorFlow's SAME, and PyTorch's where the
 * stride is 1). Throws NetworkError where the window is larger than the padded input.
 */
export function windows(net: NetworkBuilder, x: Value, size: number | readonly number[], asked: Asked, option: string) {
  const dims = net.dims(x);
  const axes = dims.length - 2;
  if (axes < 1 || axes > 3)
    throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, channels, ...one to three axes of space]`);
  const kernel = perAxis(net, size, axes, option);
  const strides = perAxis(net, asked.stride ?? 1, axes, "stride");
  const dilations = perAxis(net, asked.dilation, axes, "dilation");
  const extent = kernel.map((taps, i) => (taps - 1) * dilations[i]! + 1);
  const pads = padsOf(net, x, extent, strides, asked.padding);
  const space = dims.slice(2);
  const fits = space.every((dim, i) => typeof dim !== "number" || dim + pads[i]! + pads[i + axes]! >= extent[i]!);
  if (!fits)
    throw net.refuse(
      `${extent.join(" × ")} doesn't fit into its input of ${space.join(" × ")} (padding ${asked.padding})`,
      { option, hint: "Use a smaller one, padding: same, or fewer layers that halve the input before it." },
    );
  return { kernel_shape: kernel, strides, dilations, pads };
}

function padsOf(
  net: NetworkBuilder,
  x: Value,
  extent: readonly number[],
  strides: readonly number[],
  padding: Padding,
): number[] {
  if (padding !== "same") {
    const each = perAxis(net, padding === "valid" ? 0 : padding, extent.length, "padding");
    return [...each, ...each];
  }
  const total = extent.map((taps, i) => {
    const stride = strides[i]!;
    if (stride === 1) return taps - 1; // whatever the size
    const size = net.size(x, i + 2);
    return Math.max((Math.ceil(size / stride) - 1) * stride + taps - size, 0);
  });
  return [...total.map((pad) => Math.floor(pad / 2)), ...total.map((pad) => Math.ceil(pad / 2))];
}
