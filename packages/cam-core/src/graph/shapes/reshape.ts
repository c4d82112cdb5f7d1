import { broadcastDim, divDims, mulDims, quotient } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { axisIn, dimsOf, listOf, movedElements, type ShapeRules, unknownOfRank } from "./parts.ts";

/** Operators that keep the elements in their order, and those that only move them. */

/** The same elements under another shape: contents carry over. */
function renamed(shape: (node: ShapeContext) => Shape | undefined): ShapeRule {
  return (node) => [{ dtype: node.dtype(0), shape: shape(node), elements: node.elements(0) }];
}

/**
 * 0 copies the input's dimension (unless allowzero), -1 takes what is left over. One unknown dimension among known ones is
 * found the same way, since the number of elements stays.
 */
function reshaped(node: ShapeContext): Shape | undefined {
  const input = node.shape(0);
  const target = dimsOf(node, "shape", 1);
  if (target === undefined || target === "absent") return unknownOfRank(node.shape(1)?.[0]);
  const copied = target.map(
    (dim, i): Dim => (dim === 0 && node.int("allowzero", 0) === 0 ? (input?.[i] ?? null) : dim),
  );
  const open = copied.filter((dim) => dim === -1 || dim === null).length;
  const known = copied.filter((dim) => dim !== -1 && dim !== null);
  const rest = open === 1 && input ? leftOver(input, known) : null;
  return copied.map((dim) => (dim === -1 || dim === null ? rest : dim));
}

function leftOver(input: Shape, known: Shape): Dim {
  return quotient(input, known) ?? divDims(mulDims(...input), mulDims(...known));
}

function flattened(node: ShapeContext): Shape | undefined {
  const shape = node.shape(0);
  if (!shape) return [null, null];
  const axis = axisIn(node.int("axis", 1), shape.length);
  return [mulDims(...shape.slice(0, axis)), mulDims(...shape.slice(axis))];
}

/** Without axes every 1 goes; a symbol might be 1, so then not even the rank is known. */
function squeezed(node: ShapeContext): Shape | undefined {
  const shape = node.shape(0);
  const axes = listOf(node, "axes", 1);
  if (!shape || axes === undefined) return undefined;
  if (axes !== "absent") {
    const gone = new Set(axes.map((axis) => axisIn(axis, shape.length)));
    return shape.filter((_, i) => !gone.has(i));
  }
  return shape.every((dim) => typeof dim === "number") ? shape.filter((dim) => dim !== 1) : undefined;
}

/** Axes are positions in the output. */
function unsqueezed(node: ShapeContext): Shape | undefined {
  const shape = node.shape(0);
  const axes = listOf(node, "axes", 1);
  if (!shape || axes === undefined || axes === "absent") return undefined;
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisIn(axis, rank)));
  let next = 0;
  return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (shape[next++] ?? null)));
}

const transpose: ShapeRule = (node) => {
  const input = node.shape(0);
  const order = node.ints("perm") ?? [...(input ?? []).keys()].reverse();
  const shape = input && order.map((axis) => input[axis] ?? null);
  const elements = movedElements(node, shape, (index) => {
    const from = index.map(() => 0);
    for (const [to, axis] of order.entries()) from[axis] = index[to]!;
    return from;
  });
  return [{ dtype: node.dtype(0), shape, elements }];
};

/** Broadcast both ways: a 1 in the wanted shape keeps the input's size. */
const expand: ShapeRule = (node) => {
  const input = node.shape(0);
  const wanted = node.elements(1) ?? unknownOfRank(node.shape(1)?.[0]);
  if (!input || !wanted) return [{ dtype: node.dtype(0) }];
  const rank = Math.max(input.length, wanted.length);
  const at = (shape: Shape, axis: number) => {
    const own = axis - rank + shape.length;
    return own < 0 ? 1 : (shape[own] ?? null);
  };
  const shape = Array.from({ length: rank }, (_, axis) => broadcastDim(at(input, axis), at(wanted, axis)));
  const elements = movedElements(node, shape, (index) =>
    index.slice(rank - input.length).map((position, axis) => (input[axis] === 1 ? 0 : position)),
  );
  return [{ dtype: node.dtype(0), shape, elements }];
};

const tile: ShapeRule = (node) => {
  const input = node.shape(0);
  const repeats = node.elements(1);
  const shape = input?.map((dim, axis) => mulDims(dim, repeats?.[axis] ?? null));
  const elements = movedElements(node, shape, (index) => index.map((at, axis) => at % (input![axis] as number)));
  return [{ dtype: node.dtype(0), shape, elements }];
};

/** [N, C, H, W] to [N, C/b², H·b, W·b], and back. */
const depthToSpace: ShapeRule = (node) => {
  const shape = node.shape(0);
  const block = node.int("blocksize", 1);
  if (shape?.length !== 4) return [{ dtype: node.dtype(0), shape: unknownOfRank(4) }];
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  return [{ dtype: node.dtype(0), shape: [n, divDims(c, block * block), mulDims(h, block), mulDims(w, block)] }];
};

const spaceToDepth: ShapeRule = (node) => {
  const shape = node.shape(0);
  const block = node.int("blocksize", 1);
  if (shape?.length !== 4) return [{ dtype: node.dtype(0), shape: unknownOfRank(4) }];
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  return [{ dtype: node.dtype(0), shape: [n, mulDims(c, block * block), divDims(h, block), divDims(w, block)] }];
};

/** [N, C·kernel, L] to [N, C, ...image]: the inverse of cutting an image into blocks. */
const col2Im: ShapeRule = (node) => {
  const shape = node.shape(0);
  const image = node.elements(1) ?? unknownOfRank(node.shape(1)?.[0]);
  const block = node.elements(2);
  if (!image) return [{ dtype: node.dtype(0) }];
  const channels = block && shape ? divDims(shape[1] ?? null, mulDims(...block)) : null;
  return [{ dtype: node.dtype(0), shape: [shape?.[0] ?? null, channels, ...image] }];
};

export const reshape: ShapeRules = {
  Identity: renamed((node) => node.shape(0)),
  Reshape: renamed(reshaped),
  Flatten: renamed(flattened),
  Squeeze: renamed(squeezed),
  Unsqueeze: renamed(unsqueezed),
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Col2Im: col2Im,
  // The mask, where asked for, says which elements were kept.
  Dropout: (node) => [
    { dtype: node.dtype(0), shape: node.shape(0), elements: node.elements(0) },
    { dtype: node.opset < 10 ? node.dtype(0) : "bool", shape: node.shape(0) },
  ],
};
