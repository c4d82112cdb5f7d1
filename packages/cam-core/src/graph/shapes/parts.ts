import { dtypeFromOnnx } from "../../model/dtypes.ts";
import { type DType, positionsOf } from "../../tensor.ts";
import { mulDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";

/** What the families of shape rules share: axes, strides, and following elements from place to place. */

export type ShapeRules = Readonly<Record<string, ShapeRule>>;

/** Most elements a rule computes one by one. */
const longestComputed = 1024;

/** The output is like the first input; contents are not followed. */
export const sameAsInput: ShapeRule = (node) => [{ dtype: node.dtype(0), shape: node.shape(0) }];

/** Rules that are all alike, by the names of their operators. */
export function alike(rule: ShapeRule, ...names: string[]): ShapeRules {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** A negative axis counts from the end. */
export function axisIn(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/**
 * Axes (or another list) that older opsets take as an attribute and newer ones as an input: "absent" where the node has
 * neither, undefined where the input's contents are unknown.
 */
export function listOf(node: ShapeContext, name: string, input: number): readonly number[] | "absent" | undefined {
  if (node.has(input)) return node.integers(input);
  return node.ints(name) ?? "absent";
}

/** As listOf, with symbols let through. */
export function dimsOf(node: ShapeContext, name: string, input: number): readonly Dim[] | "absent" | undefined {
  if (node.has(input)) return node.elements(input);
  return node.ints(name) ?? "absent";
}

/** The type named by an attribute holding ONNX's number, such as Cast's `to`. */
export function dtypeAttribute(node: ShapeContext, name: string, otherwise: DType): DType {
  return dtypeFromOnnx(node.int(name, -1)) ?? otherwise;
}

/** `shape` with one dimension exchanged. */
export function withDim(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((old, i) => (i === axis ? dim : old));
}

/** A shape of which only the rank is known. */
export function unknownOfRank(rank: Dim | undefined): Shape | undefined {
  return typeof rank === "number" ? Array.from({ length: rank }, () => null) : undefined;
}

/** The shape where its size allows following each element; undefined otherwise. */
export function small(shape: Shape | undefined): readonly number[] | undefined {
  const size = shape && mulDims(...shape);
  const isSize = (dim: Dim) => typeof dim === "number" && dim >= 0;
  return typeof size === "number" && size <= longestComputed && shape!.every(isSize)
    ? (shape as readonly number[])
    : undefined;
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/**
 * Contents of an output each element of which is one of the first input's: `from` turns the output's index into the input's.
 * Undefined where contents or shapes aren't known.
 */
export function movedElements(
  node: ShapeContext,
  output: Shape | undefined,
  from: (index: number[]) => readonly number[],
): readonly Dim[] | undefined {
  const elements = node.elements(0);
  const input = small(node.shape(0));
  const target = small(output);
  if (!elements || !input || !target) return undefined;
  const strides = stridesOf(input);
  return positionsOf(target).map((index) => {
    const flat = from(index).reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
    return elements[flat] ?? null;
  });
}
