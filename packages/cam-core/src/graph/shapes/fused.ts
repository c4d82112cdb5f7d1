import type { DType } from "../../tensor.ts";
import { addDims, broadcastShapes, divDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { matrixProduct } from "./linear.ts";
import { alike, axisIn, type ShapeRules, sameAsInput, withDim } from "./parts.ts";

/** ONNX Runtime's own operators (com.microsoft): fused ones, and those on quantised integers. */

/** The last axis exchanged. */
function withLast(shape: Shape | undefined, dim: Dim): Shape | undefined {
  return shape && withDim(shape, shape.length - 1, dim);
}

function swapped(shape: Shape | undefined, swap: boolean): Shape | undefined {
  return shape && swap ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
}

const fusedMatMul: ShapeRule = (node) => {
  const side = (input: number, name: string) =>
    node.int(`transBatch${name}`, 0) === 1 ? undefined : swapped(node.shape(input), node.int(`trans${name}`, 0) === 1);
  return [{ dtype: node.dtype(0), shape: matrixProduct(side(0, "A"), side(1, "B")) }];
};

/** Weights lie in blocks of few bits; N says how many rows they are. */
const matMulNBits: ShapeRule = (node) => [
  { dtype: node.dtype(0), shape: withLast(node.shape(0), node.int("N", 0) || null) },
];

function product(a: number, b: number, dtype: (node: ShapeContext) => DType): ShapeRule {
  return (node) => [{ dtype: dtype(node), shape: matrixProduct(node.shape(a), node.shape(b)) }];
}

/** Input, weights [in, 3 · out], …: [N, S, out]. The past, where asked for, isn't followed. */
const attention: ShapeRule = (node) => {
  const wide = node.shape(1)?.[1] ?? null;
  const own = node.ints("qkv_hidden_sizes")?.[2];
  return [{ dtype: node.dtype(0), shape: withLast(node.shape(0), own ?? divDims(wide, 3)) }];
};

/** Query, key and value, each [N, S, hidden]; a query that packs all three has five axes. */
const multiHeadAttention: ShapeRule = (node) => {
  const query = node.shape(0);
  const value = node.shape(2);
  const flat = query?.length === 3 && value?.length === 3;
  return [{ dtype: node.dtype(0), shape: flat ? withLast(query, value.at(-1)!) : undefined }];
};

/** Two operands, each with scale and zero point. */
const two: ShapeRule = (node) => {
  const [a, b] = [node.shape(0), node.shape(3)];
  return [{ dtype: node.dtype(0), shape: a && b && broadcastShapes(a, b) }];
};

const gemm: ShapeRule = (node) => {
  const rows = node.shape(0)?.[node.int("transA", 0) === 1 ? 1 : 0] ?? null;
  const columns = node.shape(3)?.[node.int("transB", 0) === 1 ? 0 : 1] ?? null;
  return [{ dtype: node.has(8) ? node.dtype(8) : "float32", shape: [rows, columns] }];
};

const globalPool: ShapeRule = (node) => {
  const shape = node.shape(0);
  const channel = node.int("channels_last", 0) === 1 ? (shape?.length ?? 0) - 1 : 1;
  return [{ dtype: node.dtype(0), shape: shape?.map((dim, axis) => (axis === 0 || axis === channel ? dim : 1)) }];
};

/** The result's scale and zero point, then each part with its own. */
const concat: ShapeRule = (node) => {
  const parts = Array.from({ length: Math.floor((node.node.inputs.length - 2) / 3) }, (_, i) => node.shape(2 + 3 * i));
  const [first] = parts;
  const axis = first && axisIn(node.int("axis", 0), first.length);
  const sizes = parts.map((part) => part?.[axis ?? 0] ?? null);
  const shape = first && sizes.length > 0 ? withDim(first, axis!, sizes.reduce(addDims)) : undefined;
  return [{ dtype: node.dtype(1), shape }];
};

export const fused: ShapeRules = {
  FusedMatMul: fusedMatMul,
  MatMulNBits: matMulNBits,
  MatMulIntegerToFloat: product(0, 1, (node) => node.dtype(2)),
  DynamicQuantizeMatMul: product(0, 1, (node) => node.dtype(0)),
  "com.microsoft:Attention": attention,
  QAttention: (node) => attention(node).map((found) => found && { ...found, dtype: node.dtype(3) }),
  MultiHeadAttention: multiHeadAttention,
  QGemm: gemm,
  QLinearGlobalAveragePool: globalPool,
  QLinearConcat: concat,
  ...alike(two, "QLinearAdd", "QLinearMul"),
  ...alike(sameAsInput, "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"),
};
