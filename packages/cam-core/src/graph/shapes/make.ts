import { isNarrow } from "../../narrow.ts";
import type { DType } from "../../tensor.ts";
import { ceilDivDims, mulDims, subDims } from "../dims.ts";
import type { Dim } from "../graph.ts";
import { elementsOf, type Inferred, type ShapeContext, type ShapeRule } from "../infer.ts";
import { alike, axisIn, dtypeAttribute, type ShapeRules, small, unknownOfRank } from "./parts.ts";
import { roundReal } from "./real.ts";

/** Operators that make tensors out of attributes, shapes or numbers, and casts between element types. */

/** One of seven attributes holds the value. */
const constant: ShapeRule = (node) => {
  const of = (name: string) => node.attribute(name);
  const tensor = of("value");
  if (tensor?.type === "tensor")
    return [{ dtype: tensor.value.dtype, shape: tensor.value.shape, elements: elementsOf(tensor.value) }];
  const int = of("value_int") ?? of("value_ints");
  if (int?.type === "int") return [{ dtype: "int64", shape: [], elements: [int.value] }];
  if (int?.type === "ints") return [{ dtype: "int64", shape: [int.value.length], elements: int.value }];
  const float = of("value_float") ?? of("value_floats");
  if (float?.type === "float") return [{ dtype: "float32", shape: [], elements: [float.value] }];
  if (float?.type === "floats") return [{ dtype: "float32", shape: [float.value.length], elements: float.value }];
  if (of("value_string")) return [{ dtype: "string", shape: [] }];
  const strings = of("value_strings");
  return [strings?.type === "strings" ? { dtype: "string", shape: [strings.value.length] } : undefined];
};

const constantOfShape: ShapeRule = (node) => {
  const shape = node.elements(0) ?? unknownOfRank(node.shape(0)?.[0]);
  const value = node.attribute("value");
  const tensor = value?.type === "tensor" ? value.value : undefined;
  const fill = tensor ? elementsOf(tensor)?.[0] : 0;
  const size = small(shape)?.reduce((a, b) => a * b, 1);
  const elements = size === undefined || fill === undefined ? undefined : Array<Dim>(size).fill(fill);
  return [{ dtype: tensor?.dtype ?? "float32", shape, elements }];
};

/** ceil((limit - start) / delta) numbers. */
const range: ShapeRule = (node) => {
  const [start, limit, delta] = [0, 1, 2].map((input) => node.elements(input)?.[0] ?? null) as [Dim, Dim, Dim];
  const dtype = node.dtype(0);
  if (typeof delta !== "number" || delta === 0) return [{ dtype, shape: [null] }];
  const span = delta > 0 ? subDims(limit, start) : subDims(start, limit);
  const length = ceilDivDims(span, Math.abs(delta));
  if (typeof length !== "number") return [{ dtype, shape: [length] }];
  const shape = [Math.max(0, length)];
  const elements =
    small(shape) && typeof start === "number"
      ? Array.from({ length: shape[0]! }, (_, i) => start + i * delta)
      : undefined;
  return [{ dtype, shape, elements }];
};

/** The sizes of the input, from start to end: where symbols enter the arithmetic. */
const shapeOf: ShapeRule = (node) => {
  const shape = node.shape(0);
  if (!shape) return [{ dtype: "int64", shape: [null] }];
  const clamp = (at: number) => Math.min(Math.max(axisIn(at, shape.length), 0), shape.length);
  const elements = shape.slice(clamp(node.int("start", 0)), clamp(node.int("end", shape.length)));
  return [{ dtype: "int64", shape: [elements.length], elements }];
};

/** Numbers cut to whole ones on the way to an integer type; a real symbol is rounded down, as sizes are not negative. */
function cast(node: ShapeContext, dtype: DType): Inferred {
  const toInteger = /^u?int/.test(dtype);
  const elements =
    dtype === "string" || isNarrow(dtype)
      ? undefined
      : node.elements(0)?.map((dim) => converted(dim, toInteger, dtype));
  return { dtype, shape: node.shape(0), elements };
}

function converted(dim: Dim, toInteger: boolean, dtype: DType): Dim {
  if (dtype === "bool") return typeof dim === "number" ? Number(dim !== 0) : null;
  if (!toInteger) return typeof dim === "number" && dtype === "float32" ? Math.fround(dim) : dim;
  return typeof dim === "number" ? Math.trunc(dim) : roundReal(dim, "floor");
}

const quantized: ShapeRule = (node) => [
  { dtype: dtypeAttribute(node, "output_dtype", node.has(2) ? node.dtype(2) : "uint8"), shape: node.shape(0) },
];

const filled =
  (otherwise: DType): ShapeRule =>
  (node) => [{ dtype: dtypeAttribute(node, "dtype", otherwise), shape: node.ints("shape") }];

const like: ShapeRule = (node) => [{ dtype: dtypeAttribute(node, "dtype", node.dtype(0)), shape: node.shape(0) }];

export const make: ShapeRules = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shapeOf,
  Size: (node) => {
    const shape = node.shape(0);
    return [{ dtype: "int64", shape: [], elements: shape && [mulDims(...shape)] }];
  },
  Cast: (node) => [cast(node, dtypeAttribute(node, "to", node.dtype(0)))],
  CastLike: (node) => [cast(node, node.dtype(1))],
  // Between types of one size; where sizes differ, the last axis would.
  BitCast: (node) => [{ dtype: dtypeAttribute(node, "to", node.dtype(0)), shape: node.shape(0) }],
  ...alike(filled("float32"), "RandomNormal", "RandomUniform"),
  ...alike(like, "RandomNormalLike", "RandomUniformLike", "Bernoulli", "EyeLike"),

  QuantizeLinear: quantized,
  DequantizeLinear: (node) => [{ dtype: dtypeAttribute(node, "output_dtype", node.dtype(1)), shape: node.shape(0) }],
  DynamicQuantizeLinear: (node) => [
    { dtype: "uint8", shape: node.shape(0) },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
};
