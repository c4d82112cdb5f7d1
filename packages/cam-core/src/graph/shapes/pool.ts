import { addDims, mulDims } from "../dims.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { alike, type ShapeRules } from "./parts.ts";
import { windowCounts, windowsOf } from "./windows.ts";

function pooled(node: ShapeContext) {
  const shape = node.shape(0);
  const kernel = node.ints("kernel_shape");
  if (!shape || !kernel) return undefined;
  const ceil = node.int("ceil_mode", 0) === 1;
  return [...shape.slice(0, 2), ...windowCounts(shape.slice(2), windowsOf(node, kernel), ceil)];
}

const local: ShapeRule = (node) => [{ dtype: node.dtype(0), shape: pooled(node) }];

const global: ShapeRule = (node) => [
  { dtype: node.dtype(0), shape: node.shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)) },
];

/** The size that a MaxPool would have come from, or the one that is asked for. */
const unpooled: ShapeRule = (node) => {
  const shape = node.shape(0);
  const dtype = node.dtype(0);
  if (node.has(2)) return [{ dtype, shape: node.elements(2) ?? shape?.map(() => null) }];
  const kernel = node.ints("kernel_shape");
  if (!shape || !kernel) return [{ dtype }];
  const { strides, pads } = windowsOf(node, kernel);
  const spatial = shape.slice(2).map((size, i) => {
    const added = kernel[i]! - strides[i]! - pads[i]! - pads[i + kernel.length]!;
    return addDims(mulDims(size, strides[i]!), added);
  });
  return [{ dtype, shape: [...shape.slice(0, 2), ...spatial] }];
};

/** [N, C, H, W] and regions [R, 5] give [R, C, height, width]. */
const maxRoiPool: ShapeRule = (node) => {
  const size = node.ints("pooled_shape") ?? [null, null];
  return [{ dtype: node.dtype(0), shape: [node.shape(1)?.[0] ?? null, node.shape(0)?.[1] ?? null, ...size] }];
};

export const pool: ShapeRules = {
  MaxUnpool: unpooled,
  MaxRoiPool: maxRoiPool,
  ...alike(local, "AveragePool", "LpPool"),
  // The second output says where each maximum was.
  MaxPool: (node) => {
    const shape = pooled(node);
    return [
      { dtype: node.dtype(0), shape },
      { dtype: "int64", shape },
    ];
  },
  ...alike(global, "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"),
};
