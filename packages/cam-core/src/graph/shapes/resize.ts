import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { axisIn, type ShapeRules, unknownOfRank } from "./parts.ts";
import { realScaled, roundReal } from "./real.ts";

/** Operators that sample a picture anew. */

/** floor(size * scale), multiplied in float32 as the runtime does. */
function scaled(size: Dim, scale: Dim): Dim {
  if (typeof scale !== "number" || size === null) return null;
  return typeof size === "number"
    ? Math.floor(Math.fround(size * Math.fround(scale)))
    : roundReal(realScaled(size, scale), "floor");
}

/** Sizes under a policy that keeps the aspect ratio: one scale for all axes, the smallest or largest of the asked. */
function keepingAspect(input: Shape, sizes: readonly Dim[], policy: string): readonly Dim[] {
  if (policy !== "not_larger" && policy !== "not_smaller") return sizes;
  if (![...input, ...sizes].every((dim) => typeof dim === "number")) return sizes.map(() => null);
  const scales = sizes.map((size, i) => (size as number) / (input[i] as number));
  const scale = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return input.map((dim) => Math.floor((dim as number) * scale + 0.5));
}

/** Inputs are (X, scales) until opset 10, then (X, roi, scales, sizes); scales may be there and empty. */
const resize: ShapeRule = (node) => {
  const input = node.shape(0);
  // ONNX Runtime 1.30 writes as many scales as there are numbers, wherever that leads.
  for (let at = 1; at < node.node.inputs.length; at++)
    if (node.has(at) && (node.rank(at) ?? 1) !== 1)
      throw new Error(`input ${at} has ${node.rank(at)} axes; a list is expected`);
  if (!input) return [{ dtype: node.dtype(0) }];
  const axes = node.ints("axes")?.map((axis) => axisIn(axis, input.length)) ?? [...input.keys()];
  const picked = axes.map((axis) => input[axis]!);
  const made = node.has(3)
    ? keepingAspect(
        picked,
        node.elements(3) ?? picked.map(() => null),
        node.string("keep_aspect_ratio_policy", "stretch"),
      )
    : picked.map((dim, i) => scaled(dim, scalesOf(node)?.[i] ?? null));
  const shape = input.map((dim, axis) => (axes.includes(axis) ? (made[axes.indexOf(axis)] ?? null) : dim));
  return [{ dtype: node.dtype(0), shape }];
};

function scalesOf(node: ShapeContext): readonly Dim[] | undefined {
  const attribute = node.attribute("scales");
  if (attribute?.type === "floats") return attribute.value;
  return node.elements(node.node.inputs.length > 2 ? 2 : 1);
}

/** [N, C, ...] sampled at grid [N, ...out, rank-2] gives [N, C, ...out]. */
const gridSample: ShapeRule = (node) => {
  const x = node.shape(0);
  const grid = node.shape(1);
  if (!x || !grid) return [{ dtype: node.dtype(0), shape: unknownOfRank(x?.length ?? grid?.length) }];
  return [{ dtype: node.dtype(0), shape: [...x.slice(0, 2), ...grid.slice(1, -1)] }];
};

/** size [N, C, ...out] gives a grid [N, ...out, rank-2]. */
const affineGrid: ShapeRule = (node) => {
  const rank = node.shape(1)?.[0];
  const size = node.elements(1) ?? unknownOfRank(rank);
  return [{ dtype: node.dtype(0), shape: size && [size[0]!, ...size.slice(2), size.length - 2] }];
};

/** [N, C, H, W] and regions [R, 4] give [R, C, height, width]. */
const roiAlign: ShapeRule = (node) => [
  {
    dtype: node.dtype(0),
    shape: [
      node.shape(1)?.[0] ?? null,
      node.shape(0)?.[1] ?? null,
      node.int("output_height", 1),
      node.int("output_width", 1),
    ],
  },
];

export const resizes: ShapeRules = {
  Resize: resize,
  Upsample: resize,
  GridSample: gridSample,
  AffineGrid: affineGrid,
  RoiAlign: roiAlign,
};
