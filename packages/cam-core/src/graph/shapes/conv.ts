import type { DType } from "../../tensor.ts";
import { addDims, mulDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import type { ShapeRules } from "./parts.ts";
import { windowCounts, windowsOf } from "./windows.ts";

/** [N, C, ...in] with weights [M, C/group, ...kernel] gives [N, M, ...out]. `x` and `w` are positions among the inputs. */
function convolution(x: number, w: number, dtype?: (node: ShapeContext) => DType): ShapeRule {
  return (node) => [{ dtype: dtype?.(node) ?? node.dtype(x), shape: convolved(node, node.shape(x), node.shape(w)) }];
}

function convolved(node: ShapeContext, x: Shape | undefined, w: Shape | undefined): Shape | undefined {
  if (!x) return undefined;
  const kernel = node.ints("kernel_shape") ?? w?.slice(2) ?? Array<Dim>(x.length - 2).fill(null);
  return [x[0]!, w?.[0] ?? null, ...windowCounts(x.slice(2), windowsOf(node, kernel))];
}

/**
 * The size a Conv would have come from:
 *
 *   stride * (size - 1) + output_padding + extent - pads      or output_shape, where given; size * stride for SAME
 */
const convTranspose: ShapeRule = (node) => {
  const x = node.shape(0);
  const w = node.shape(1);
  if (!x) return [{ dtype: node.dtype(0) }];
  const spatial = x.slice(2);
  const kernel = node.ints("kernel_shape") ?? w?.slice(2) ?? Array<Dim>(spatial.length).fill(null);
  const { strides, dilations, pads, autoPad } = windowsOf(node, kernel);
  const given = node.ints("output_shape");
  const extra = node.ints("output_padding") ?? [];
  const out = spatial.map((size, i): Dim => {
    // Some exporters write batch and channels into output_shape as well.
    if (given) return given.at(i - spatial.length) ?? null;
    const stride = strides[i] ?? 1;
    if (autoPad.startsWith("SAME")) return mulDims(size, stride);
    const window = kernel[i];
    if (typeof window !== "number") return null;
    const extent = (window - 1) * (dilations[i] ?? 1) + 1;
    const added = (extra[i] ?? 0) + extent - (pads[i] ?? 0) - (pads[i + kernel.length] ?? 0) - stride;
    return addDims(mulDims(size, stride), added);
  });
  return [{ dtype: node.dtype(0), shape: [x[0]!, mulDims(w?.[1] ?? null, node.int("group", 1)), ...out] }];
};

export const conv: ShapeRules = {
  Conv: convolution(0, 1),
  FusedConv: convolution(0, 1),
  ConvInteger: convolution(0, 1, () => "int32"),
  QLinearConv: convolution(0, 3, (node) => node.dtype(7)),
  ConvTranspose: convTranspose,
  DeformConv: convolution(0, 1),
};
