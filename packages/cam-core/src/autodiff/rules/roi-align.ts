import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import { derived } from "../derived.ts";
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
function averaged(context: VjpContext): (Value | null)[] {
  const { op, inputs, int } = context;
  const x = inputs[0]!;
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

function ofLargest(context: VjpContext): (Value | null)[] {
  const { dy, ...where } = neverNone(context);
  return derived({ ...context, dys: [dy] }, ([x]) => [largest(context, x!, where)]);
}

/**
 * The largest of a cell's points, of each the largest of its four pixels' weighted parts: ONNX's definition and ONNX Runtime's,
 * not the largest interpolated value. Every part is spelled out, so this takes four times the points' memory.
 */
function largest(context: VjpContext, x: Value, { regions, images }: Record<"regions" | "images", Value>): Value {
  const { op, int } = context;
  const rows = endsAlong(context, x, regions, { axis: 2, from: 1, cells: int("output_height", 1) }); // [R, oh, ends]
  const columns = endsAlong(context, x, regions, { axis: 3, from: 0, cells: int("output_width", 1) }); // [R, ow, ends]
  const crossed = (a: Value, b: Value, join: (a: Value, b: Value) => Value) =>
    join(op.unsqueeze(a, [3, 4]), op.unsqueeze(b, [1, 2])); // [R, oh, ends, ow, ends]
  const image = op.reshape(images, [-1, 1, 1]);
  const row = op.add(op.mul(image, op.dim(x, 2)), rows.pixel);
  const pixel = crossed(op.mul(row, op.dim(x, 3)), columns.pixel, (a, b) => op.add(a, b));
  const pixels = op.reshape(op.transpose(x, [0, 2, 3, 1]), op.sizes([-1, op.dim(x, 1)])); // [N · H · W, C]
  const weight = crossed(rows.weight, columns.weight, (a, b) => op.mul(a, b));
  const parts = op.mul(op.gather(pixels, pixel), op.unsqueeze(weight, [5])); // [R, oh, ends, ow, ends, C]
  const counted = rows.counted && columns.counted && crossed(rows.counted, columns.counted, (a, b) => op.and(a, b));
  const drawn = counted ? op.where(op.unsqueeze(counted, [5]), parts, Number.NEGATIVE_INFINITY) : parts;
  return op.transpose(op.reduceMax(drawn, { axes: [2, 4], keepdims: false }), [0, 3, 1, 2]);
}

type Along = { axis: number; from: number; cells: number };

/**
 * The pixels on both sides of each point along an axis, and how much each counts: [R, cells, points · 2]. `counted` is absent
 * where every cell has as many points.
 */
function endsAlong(context: VjpContext, x: Value, regions: Value, along: Along) {
  const { op } = context;
  const { place, inside, drawn, last } = pointsAlong(context, x, regions, along);
  const low = op.floor(place);
  const far = op.sub(place, low);
  const both = (a: Value, b: Value) =>
    op.reshape(op.concat([op.unsqueeze(a, [3]), op.unsqueeze(b, [3])], 3), op.sizes([op.dim(a, 0), along.cells, -1]));
  const weighed = (share: Value) => op.where(inside, share, 0);
  const counted = drawn && op.expand(drawn, op.shape(place));
  return {
    pixel: op.cast(both(low, op.min(op.add(low, 1), last)), "int64"),
    weight: both(weighed(op.sub(1, far)), weighed(far)),
    counted: counted && both(counted, counted),
  };
}

/** How much of each pixel along an axis is in each cell of a region: [R, cells, size]. */
function weightsAlong(context: VjpContext, x: Value, regions: Value, along: Along): Value {
  const { op } = context;
  const { place, inside, drawn, each } = pointsAlong(context, x, regions, along);
  const counted = drawn ? op.and(inside, drawn) : inside;
  const pixel = op.cast(upTo(op, op.squeeze(op.dim(x, along.axis), [0])), op.dtype(x));
  const distance = op.abs(op.sub(op.unsqueeze(place, [3]), pixel)); // [R, cells, points, size]
  const near = op.where(op.unsqueeze(counted, [3]), op.relu(op.sub(1, distance)), 0);
  return op.div(op.reduceSum(near, { axes: [2], keepdims: false }), each);
}

function upTo(op: Builder, limit: Value): Value {
  return op.range(op.scalar(0, "int64"), limit, op.scalar(1, "int64"));
}

/**
 * The points of each cell along an axis, moved onto the picture: `place` [R, cells, points], at most `last`. `inside`: whether
 * the point itself lies on the picture or within a pixel of it. `drawn` [R, 1, points], where cells differ in how many points
 * they have (`each`): which of as many as any has are a region's own.
 */
function pointsAlong({ op, int, float, string }: VjpContext, x: Value, regions: Value, { axis, from, cells }: Along) {
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
  const number = op.reshape(op.cast(upTo(op, count), dtype), [1, 1, -1]);
  const beyond = op.div(op.add(number, 0.5), points.each); // of a cell, [R, 1, points]
  const cell = op.reshape(op.cast(upTo(op, op.scalar(cells, "int64")), dtype), [1, -1, 1]);
  const at = op.add(op.unsqueeze(start, [2]), op.mul(op.add(cell, beyond), op.unsqueeze(width, [2]))); // [R, cells, points]
  const length = op.cast(op.dim(x, axis), dtype);
  const last = op.sub(length, 1);
  return {
    place: op.min(op.max(at, 0), last),
    inside: op.and(op.greaterOrEqual(at, -1), op.lessOrEqual(at, length)),
    drawn: points.open ? op.less(number, points.each) : undefined,
    each: points.each,
    last,
  };
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
    kind: "kinked", // where another part becomes the largest
    vjp: (context) => (context.string("mode", "avg") === "max" ? ofLargest(context) : averaged(context)),
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
        sample({ mode: "max", sampling_ratio: 2 }),
        sample({ mode: "max", coordinate_transformation_mode: "output_half_pixel" }),
      ];
    },
  },
});
