import { addDims, isStatic, maxDims, minDims, mulDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { alike, axisIn, listOf, type ShapeRules } from "./parts.ts";

/** `shape` with `axes` reduced to one, or removed. */
function reduced(shape: Shape, axes: readonly number[], keepdims: boolean): Shape {
  const gone = new Set(axes.map((axis) => axisIn(axis, shape.length)));
  return keepdims ? shape.map((dim, i) => (gone.has(i) ? 1 : dim)) : shape.filter((_, i) => !gone.has(i));
}

/** No axes, or none in the list, mean all of them, unless noop_with_empty_axes says none. */
function reducedShape(node: ShapeContext): Shape | undefined {
  const shape = node.shape(0);
  if (!shape) return undefined;
  const axes = listOf(node, "axes", 1);
  const keepdims = node.int("keepdims", 1) === 1;
  if (axes === undefined) {
    const count = node.shape(1)?.[0];
    if (keepdims) return shape.map((dim) => (dim === 1 ? 1 : null));
    return typeof count === "number" && count > 0 && count <= shape.length
      ? Array(shape.length - count).fill(null)
      : undefined;
  }
  if (axes !== "absent" && axes.length > 0) return reduced(shape, axes, keepdims);
  if (node.int("noop_with_empty_axes", 0) === 1) return shape;
  return reduced(shape, [...shape.keys()], keepdims);
}

/** Contents are followed where a list becomes one number. */
function reduction(fold?: (a: Dim, b: Dim) => Dim, start?: Dim): ShapeRule {
  return (node) => {
    const shape = reducedShape(node);
    const elements = node.elements(0);
    const toOne = isStatic(shape) && shape.every((dim) => dim === 1) && elements !== undefined && fold !== undefined;
    return [
      {
        dtype: node.dtype(0),
        shape,
        elements: toOne ? [start === undefined ? elements.reduce(fold) : elements.reduce(fold, start)] : undefined,
      },
    ];
  };
}

const argument: ShapeRule = (node) => {
  const shape = node.shape(0);
  return [{ dtype: "int64", shape: shape && reduced(shape, [node.int("axis", 0)], node.int("keepdims", 1) === 1) }];
};

export const reduce: ShapeRules = {
  ReduceProd: reduction((a, b) => mulDims(a, b), 1),
  ReduceSum: reduction(addDims, 0),
  ReduceMax: reduction(maxDims),
  ReduceMin: reduction(minDims),
  ...alike(reduction(), "ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"),
  ...alike(argument, "ArgMax", "ArgMin"),
};
