import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import {
  alike,
  axisIn,
  movedElements,
  type ShapeRules,
  sameAsInput,
  small,
  stridesOf,
  unknownOfRank,
  withDim,
} from "./parts.ts";

/** Operators that pick by index, or write by index. */

/** The indexed axis is replaced by all axes of the indices. */
const gather: ShapeRule = (node) => {
  const data = node.shape(0);
  const indices = node.shape(1);
  if (!data || !indices) return [{ dtype: node.dtype(0) }];
  const axis = axisIn(node.int("axis", 0), data.length);
  const shape = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  const places = node.integers(1);
  const target = small(indices);
  const size = data[axis];
  if (!places || !target || typeof size !== "number") return [{ dtype: node.dtype(0), shape }];
  const strides = stridesOf(target);
  const elements = movedElements(node, shape, (index) => {
    const flat = index.slice(axis, axis + target.length).reduce((sum, at, i) => sum + at * strides[i]!, 0);
    return [...index.slice(0, axis), axisIn(places[flat]!, size), ...index.slice(axis + target.length)];
  });
  return [{ dtype: node.dtype(0), shape, elements }];
};

/** indices [..., k] reach into k axes after the batch ones: indices' other axes, then the axes of data left over. */
const gatherND: ShapeRule = (node) => {
  const data = node.shape(0);
  const indices = node.shape(1);
  const depth = indices?.at(-1);
  if (!data || !indices || typeof depth !== "number") return [{ dtype: node.dtype(0) }];
  const shape = [...indices.slice(0, -1), ...data.slice(node.int("batch_dims", 0) + depth)];
  return [{ dtype: node.dtype(0), shape }];
};

/** Contents are followed for whole rows written by index: data with updates put in. */
const scatterND: ShapeRule = (node) => {
  const shape = node.shape(0);
  return [{ dtype: node.dtype(0), shape, elements: scattered(node, small(shape)) }];
};

function scattered(node: ShapeContext, data: readonly number[] | undefined): readonly Dim[] | undefined {
  const elements = node.elements(0);
  const indices = node.integers(1);
  const updates = node.elements(2);
  const depth = node.shape(1)?.at(-1);
  if (!data || !elements || !indices || !updates || typeof depth !== "number" || depth === 0) return undefined;
  if (node.string("reduction", "none") !== "none") return undefined;
  const strides = stridesOf(data);
  const width = data.slice(depth).reduce((a, b) => a * b, 1);
  const result = [...elements];
  for (let row = 0; row * depth < indices.length; row++) {
    const path = indices.slice(row * depth, (row + 1) * depth);
    const start = path.reduce((sum, at, axis) => sum + axisIn(at, data[axis]!) * strides[axis]!, 0);
    for (let i = 0; i < width; i++) result[start + i] = updates[row * width + i] ?? null;
  }
  return result;
}

const gatherElements: ShapeRule = (node) => [{ dtype: node.dtype(0), shape: node.shape(1) }];

/** The k largest: values and where they were. */
const topK: ShapeRule = (node) => {
  const data = node.shape(0);
  const k = node.has(1) ? (node.elements(1)?.[0] ?? null) : node.int("k", 1);
  const shape = data && withDim(data, axisIn(node.int("axis", -1), data.length), k);
  return [
    { dtype: node.dtype(0), shape },
    { dtype: "int64", shape },
  ];
};

/** Where the input is not zero: one column a hit, as many rows as axes. Hits are counted where the contents are known. */
const nonZero: ShapeRule = (node) => {
  const input = small(node.shape(0));
  const values = node.integers(0);
  const rank = node.rank(0) ?? null;
  if (!input || !values) return [{ dtype: "int64", shape: [rank, null] }];
  const strides = stridesOf(input);
  const hits = values.flatMap((value, at) => (value === 0 ? [] : [at]));
  const elements = input.flatMap((dim, axis) => hits.map((at) => Math.floor(at / strides[axis]!) % dim));
  return [{ dtype: "int64", shape: [rank, hits.length], elements }];
};

/** A new axis of size `depth`; the type is the values'. */
const oneHot: ShapeRule = (node) => {
  const indices = node.shape(0);
  const depth = node.elements(1)?.[0] ?? null;
  if (!indices) return [{ dtype: node.dtype(2) }];
  const axis = axisIn(node.int("axis", -1), indices.length + 1);
  return [{ dtype: node.dtype(2), shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] }];
};

/** How many are kept depends on the condition; flattened without an axis. */
const compress: ShapeRule = (node) => {
  const data = node.shape(0);
  const axis = node.attribute("axis");
  const kept = node.integers(1)?.filter((value) => value !== 0).length ?? null;
  if (axis?.type !== "int") return [{ dtype: node.dtype(0), shape: [kept] }];
  return [{ dtype: node.dtype(0), shape: data && withDim(data, axisIn(axis.value, data.length), kept) }];
};

/** Distinct values (or slices along `axis`), then three lists of positions and counts. */
const unique: ShapeRule = (node) => {
  const data = node.shape(0);
  const axis = node.attribute("axis");
  const list = { dtype: "int64" as const, shape: [null] satisfies Shape };
  if (axis?.type !== "int") return [{ dtype: node.dtype(0), shape: [null] }, list, list, list];
  const at = data && axisIn(axis.value, data.length);
  return [
    { dtype: node.dtype(0), shape: data && withDim(data, at!, null) },
    list,
    { dtype: "int64", shape: data ? [data[at!]!] : unknownOfRank(1) },
    list,
  ];
};

export const gathers: ShapeRules = {
  Gather: gather,
  GatherND: gatherND,
  GatherElements: gatherElements,
  ScatterND: scatterND,
  ...alike(sameAsInput, "ScatterElements", "Scatter", "TensorScatter"),
  TopK: topK,
  NonZero: nonZero,
  OneHot: oneHot,
  Compress: compress,
  Unique: unique,
  NonMaxSuppression: () => [{ dtype: "int64", shape: [null, 3] }],
};
