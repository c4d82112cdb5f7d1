import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { padded } from "./cut.ts";

/**
 * RoiAlign averages what lies at regular points of each cell of a region, read linearly between pixels. Rows and columns are
 * independent: Y[r] = A_y X[image of r] A_xᵀ, where A_y [cells, H] holds each row's weight in each row of cells. So
 *
 *   dX[n] = Σ over regions r of image n: A_yᵀ dY[r] A_x
 *
 * two products, without a scatter.
 */
function aligned(context: VjpContext): (Value | null)[] {
  const { op, inputs, int, string, refuse } = context;
  const x = inputs[0]!;
  if (string("mode", "avg") !== "avg")
    throw refuse(
      `mode "${string("mode", "avg")}" has no gradient rule`,
      'Export with mode "avg", as torchvision does.',
    );
  const { regions, images, dy } = neverNone(context);
  const rows = weightsAlong(context, x, regions, { axis: 2, from: 1, cells: int("output_height", 1) });
  const columns = weightsAlong(context, x, regions, { axis: 3, from: 0, cells: int("output_width", 1) });
  // Each region's rows count for its own image alone.
  const numbers = op.range(op.scalar(0, "int64"), op.squeeze(op.dim(x, 0), [0]), op.scalar(1, "int64"));
  const own = op.equal(op.reshape(numbers, [-1, 1, 1, 1]), op.reshape(images, [1, -1, 1, 1]));
  const weights = op.where(own, op.unsqueeze(rows, [0]), 0); // [N, R, oh, H]
  const left = op.transpose(op.reshape(weights, op.sizes([op.dim(x, 0), -1, op.dim(x, 2)])), [0, 2, 1]);
  const across = op.matMul(dy, op.unsqueeze(columns, [1])); // [R, C, oh, W]
  const right = op.reshape(op.transpose(across, [0, 2, 1, 3]), op.sizes([op.mul(op.dim(dy, 0), op.dim(dy, 2)), -1])); // [R · oh, C · W]
  const sums = op.matMul(left, right); // [N, H, C · W]
  const split = op.reshape(sums, op.sizes([op.dim(x, 0), op.dim(x, 2), op.dim(x, 1), op.dim(x, 3)]));
  return [op.shapedLike(op.transpose(split, [0, 2, 1, 3]), x), null, null];
}

/**
 * Regions, their images and cotangents, with one more region of which nothing comes back where their count isn't known: a level
 * of a pyramid may have none, and then sizes don't follow from each other (Reshape's −1), nor is there a largest cell.
 */
function neverNone({ op, inputs: [x, regions, images], dy }: VjpContext): Record<"regions" | "images" | "dy", Value> {
  const own = { regions: op.cast(regions!, op.dtype(x!)), images: op.cast(images!, "int64"), dy };
  if (Number(op.dims(dy)?.[0]) > 0) return own;
  const longer = (value: Value) => padded(op, value, [0], [op.ints([0]), op.ints([1])]);
  return { regions: longer(own.regions), images: longer(own.images), dy: longer(dy) };
}

/** How much of each pixel along an axis is in each cell of a region: [R, cells, size]. */
function weightsAlong(
  { op, int, float, string }: VjpContext,
  x: Value,
  regions: Value,
  { axis, from, cells }: { axis: number; from: number; cells: number },
): Value {
  const dtype = op.dtype(x);
  const half = string("coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const edge = (at: number) => {
    const column = op.slice(regions, { axes: [1], starts: [at], ends: [at + 1] }); // [R, 1]
    const scaled = op.mul(column, float("spatial_scale", 1));
    return half ? op.sub(scaled, 0.5) : scaled;
  };
  const start = edge(from);
  const extent = op.sub(edge(from + 2), start);
  const width = op.div(half ? extent : op.max(extent, 1), cells); // of a cell, [R, 1]
  const points = pointsPerCell(op, width, int("sampling_ratio", 0));
  const count = typeof points.most === "number" ? op.scalar(points.most, "int64") : points.most;
  const upTo = (limit: Value) => op.range(op.scalar(0, "int64"), limit, op.scalar(1, "int64"));
  const number = op.reshape(op.cast(upTo(count), dtype), [1, 1, -1]);
  const beyond = op.div(op.add(number, 0.5), points.each); // of a cell, [R, 1, points]
  const cell = op.reshape(op.cast(upTo(op.scalar(cells, "int64")), dtype), [1, -1, 1]);
  const at = op.add(op.unsqueeze(start, [2]), op.mul(op.add(cell, beyond), op.unsqueeze(width, [2]))); // [R, cells, points]
  const length = op.cast(op.dim(x, axis), dtype);
  const inside = op.and(op.greaterOrEqual(at, -1), op.lessOrEqual(at, length));
  const counted = points.open ? op.and(inside, op.less(number, points.each)) : inside;
  const place = op.min(op.max(at, 0), op.sub(length, 1));
  const pixel = op.cast(upTo(op.squeeze(op.dim(x, axis), [0])), dtype);
  const distance = op.abs(op.sub(op.unsqueeze(place, [3]), pixel)); // [R, cells, points, size]
  const near = op.where(op.unsqueeze(counted, [3]), op.relu(op.sub(1, distance)), 0);
  return op.div(op.reduceSum(near, { axes: [2], keepdims: false }), points.each);
}

/** A given number of points in each cell, or one for every pixel of the region's own cells, and the most of them. */
function pointsPerCell(
  op: Builder,
  width: Value,
  given: number,
): { each: Operand; most: number | Value; open: boolean } {
  if (given > 0) return { each: op.scalar(given, op.dtype(width)), most: given, open: false };
  const each = op.max(op.ceil(width), 1); // [R, 1]
  const most = op.cast(op.reduceMax(each, { axes: "all", keepdims: false }), "int64");
  return { each: op.unsqueeze(each, [2]), most, open: true };
}

export const roiAlign = defineRules({
  RoiAlign: {
    kind: "linear",
    vjp: aligned,
    leftOut: { 1: "where the regions lie carries no gradient, as in torchvision" },
    sample: (rng) => {
      const regions = float32([3, 4], [0.3, 0.7, 4.2, 3.9, 1.1, -0.4, 2.3, 6.8, -3, 2, 9, 2.6]);
      const sample = (attributes: Record<string, number | string | { float: number }>) => ({
        inputs: [rng.normal([2, 3, 5, 6]), regions, int64([3], [0, 1, 0])],
        attributes: { output_height: 2, output_width: 3, ...attributes },
        constants: [1],
      });
      return [
        sample({ sampling_ratio: 2 }),
        sample({ sampling_ratio: 1, coordinate_transformation_mode: "output_half_pixel" }),
        sample({ spatial_scale: { float: 0.75 } }),
        sample({ coordinate_transformation_mode: "output_half_pixel", output_width: 1 }),
      ];
    },
  },
});
