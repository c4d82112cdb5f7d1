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

export const pool: ShapeRules = {
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
