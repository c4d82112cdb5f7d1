import type { ShapeRule } from "../infer.ts";
import { alike, axisIn, type ShapeRules, sameAsInput } from "./parts.ts";

/** Like the input; statistics have one entry a channel (outputs of training mode). */
const batchNorm: ShapeRule = (node) => {
  const statistic = { dtype: node.dtype(3), shape: node.shape(3) };
  return [{ dtype: node.dtype(0), shape: node.shape(0) }, statistic, statistic, statistic, statistic];
};

/** Mean and inverse deviation keep the axes before `axis`; the rest becomes 1. */
const layerNorm: ShapeRule = (node) => {
  const shape = node.shape(0);
  const axis = shape && axisIn(node.int("axis", -1), shape.length);
  const statistic = {
    dtype: node.int("stash_type", 1) === 1 ? ("float32" as const) : node.dtype(0),
    shape: shape?.map((dim, i) => (i < axis! ? dim : 1)),
  };
  return [{ dtype: node.dtype(0), shape }, statistic, statistic];
};

/** ONNX Runtime's fused form: the sum that was normalised is the fourth output. */
const skipLayerNorm: ShapeRule = (node) => {
  const shape = node.shape(0);
  const statistic = { dtype: "float32" as const, shape: shape?.map((dim, i) => (i < shape.length - 1 ? dim : 1)) };
  return [{ dtype: node.dtype(0), shape }, statistic, statistic, { dtype: node.dtype(0), shape }];
};

export const norm: ShapeRules = {
  BatchNormalization: batchNorm,
  ...alike(layerNorm, "LayerNormalization", "SimplifiedLayerNormalization"),
  ...alike(skipLayerNorm, "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
  ...alike(sameAsInput, "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization"),
  ...alike(sameAsInput, "MeanVarianceNormalization", "LRN"),
};
