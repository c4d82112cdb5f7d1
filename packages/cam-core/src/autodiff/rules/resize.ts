import type { Value } from "../../graph/builder.ts";
import { isStatic, sameDim } from "../../graph/dims.ts";
import type { Attributes, Shape } from "../../graph/graph.ts";
import { float32, int64 } from "../../tensor.ts";
import { defineRules, type Sample, type VjpContext } from "../rule.ts";
import { backAlongAxes } from "./per-axis.ts";

/**
 * Resize works on each axis by itself and is linear in x: y = M x along an axis, whatever the mode. So dx = Mᵀ dy, and Mᵀ is
 * what this very Resize makes of the identity. Sizes that are known make it a constant, which the runtime folds.
 */
export const resize = defineRules({
  Resize: {
    kind: "linear",
    vjp: (context) => {
      const { op, inputs, dy } = context;
      const x = inputs[0]!;
      const factors = repeats(context);
      if (factors) {
        // Pixels repeated: each sums what came of it. A mean over the block, times its size, is the fastest way to. ONNX Runtime
        // (1.30) makes one node of a Pad and the pooling behind it, also where it then refuses that node.
        const count = factors.reduce((a, b) => a * b, 1);
        const mean = (of: Value) => op.averagePool(of, { kernel_shape: factors, strides: factors });
        const padded = op.graph.nodes.some((node) => node.opType === "Pad" && node.outputs[0] === dy);
        return [op.shapedLike(padded ? mean(op.mul(dy, count)) : op.mul(mean(dy), count), x)];
      }
      const matrices = new Map(resizedAxes(context).map((resized) => [resized.axis, axisMatrix(context, resized)]));
      return [backAlongAxes(op, dy, x, matrices)];
    },
    sample: (rng) => {
      const scaled = (
        x: readonly number[],
        scales: readonly number[],
        attributes: Sample["attributes"] = {},
      ): Sample => ({
        inputs: [rng.normal(x), undefined, float32([scales.length], scales)],
        attributes,
        constants: [2],
      });
      const sized = (
        x: readonly number[],
        sizes: readonly number[],
        attributes: Sample["attributes"] = {},
      ): Sample => ({
        inputs: [rng.normal(x), undefined, undefined, int64([sizes.length], sizes)],
        attributes,
      });
      const modes = ["half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"];
      const roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];
      const crop = { coordinate_transformation_mode: "tf_crop_and_resize", extrapolation_value: { float: 7 } };
      return [
        scaled([2, 3, 4, 5], [1, 1, 2, 2], { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }),
        scaled([2, 3, 4, 5], [1, 1, 3, 2]),
        scaled([2, 3, 7, 5], [1, 1, 0.6, 0.5]),
        sized([2, 3, 4, 5], [2, 3, 8, 10], { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }),
        ...modes.flatMap((coordinate_transformation_mode) => [
          ...roundings.map((nearest_mode) =>
            sized([1, 2, 4, 5], [1, 2, 9, 7], { coordinate_transformation_mode, nearest_mode }),
          ),
          sized([2, 2, 4, 5], [2, 2, 7, 3], { mode: "linear", coordinate_transformation_mode }),
          scaled([2, 2, 4, 5], [1, 1, 1.7, 0.7], { mode: "linear", coordinate_transformation_mode }),
          sized([2, 2, 4, 6], [2, 2, 7, 4], { mode: "cubic", coordinate_transformation_mode }),
        ]),
        scaled([1, 2, 4, 6], [1, 1, 1.5, 2], { mode: "cubic", cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 }),
        sized([1, 2, 9, 8], [1, 2, 4, 5], { mode: "linear", antialias: 1 }),
        sized([1, 2, 9, 8], [1, 2, 4, 5], { mode: "cubic", antialias: 1 }),
        sized([1, 2, 1, 5], [1, 2, 3, 1], { mode: "linear" }),
        sized([1, 2, 1, 5], [1, 2, 3, 1], { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" }),
        sized([1, 2, 1, 5], [1, 2, 3, 1], { mode: "linear", coordinate_transformation_mode: "align_corners" }),
        sized([2, 3, 4, 5], [7, 8], { mode: "linear", axes: [2, -1] }),
        sized([2, 3, 4, 5], [6, 5], { axes: [-1, 1] }),
        sized([4, 6], [7, 5], { mode: "linear" }),
        sized([1, 2, 3, 4, 5], [1, 2, 5, 6, 3], { mode: "linear" }),
        scaled([1, 2, 3, 4, 5], [1, 1, 2, 2, 2], {
          coordinate_transformation_mode: "asymmetric",
          nearest_mode: "floor",
        }),
        sized([2, 2, 6, 8], [3, 9], { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy: "not_larger" }),
        sized([2, 2, 4, 6], [6, 6], { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy: "not_smaller" }),
        // The policy rounds a size up.
        sized([2, 2, 4, 5], [7, 7], { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy: "not_larger" }),
        sized([2, 2, 7, 5], [4, 3], { axes: [2, 3], keep_aspect_ratio_policy: "not_smaller" }),
        sized([1, 2, 6, 8], [8, 5], { mode: "cubic", axes: [2, 3], keep_aspect_ratio_policy: "not_larger" }),
        {
          inputs: [
            rng.normal([1, 2, 6, 7]),
            float32([8], [0, 0, 0.2, -0.3, 1, 1, 0.9, 0.8]),
            undefined,
            int64([4], [1, 2, 4, 5]),
          ],
          attributes: { mode: "linear", ...crop },
          constants: [1],
        },
        {
          inputs: [rng.normal([1, 2, 6, 7]), float32([4], [0.1, 0.3, 1.2, 0.8]), undefined, int64([2], [4, 5])],
          attributes: { mode: "linear", axes: [2, 3], ...crop },
          constants: [1],
        },
        // Scales that only the run knows.
        {
          inputs: [rng.normal([1, 2, 4, 5]), undefined, float32([4], [1, 1, 2, 1.5])],
          attributes: { mode: "linear" },
          wrt: [0],
        },
      ];
    },
  },
});

/** An axis that Resize may change, and its place among the scales, sizes and regions. */
type Resized = { axis: number; at: number };

function resizedAxes(context: VjpContext): Resized[] {
  const { op, inputs, outputs, string } = context;
  const scales = inputs[2] ? op.integers(inputs[2]) : undefined;
  const crops = string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";
  const [from, to] = [op.dims(inputs[0]!), op.dims(outputs[0]!)];
  return resizable(context).flatMap((axis, at) => {
    // Batch and channels that keep their number stay as they are; a spatial axis does unless a region is cut out of it.
    const stays = sameDim(from?.[axis], to?.[axis]) && (scales?.[at] ?? 1) === 1;
    return (stays || scales?.[at] === 1) && (axis < 2 || !crops) ? [] : [{ axis, at }];
  });
}

/** What the node makes of the identity along one axis: [in, out]. */
function axisMatrix(context: VjpContext, { axis, at }: Resized): Value {
  const { op, node, inputs, outputs, string } = context;
  const x = inputs[0]!;
  const length = op.dim(x, axis);
  const rows = op.unsqueeze(op.eye(length, op.dtype(x)), [0, 1]); // [1, 1, in, in], resized along the last axis
  const own = (list: Value, index: number) => op.slice(list, { axes: [0], starts: [index], ends: [index + 1] });
  const plain = (value: number, like: Value) =>
    op.cast(op.constant(float32([3], [value, value, value])), op.dtype(like));
  const roi = inputs[1];
  const half = roi ? (op.integers(op.shape(roi))?.[0] ?? 0) / 2 : 0;
  const region = roi && half > 0 ? op.concat([plain(0, roi), own(roi, at), plain(1, roi), own(roi, at + half)], 0) : "";
  const common = commonScale(context);
  const scales = inputs[2] || common?.scales;
  const to = scales
    ? [op.concat([plain(1, scales), own(scales, at)], 0)]
    : ["", op.concat([op.ints([1, 1]), length, op.dim(outputs[0]!, axis)], 0)];
  // The axes are all there; what lies outside the picture has the same value whatever x is.
  const { axes: _, keep_aspect_ratio_policy: __, extrapolation_value: ___, ...attributes } = node.attributes;
  const resized = (x: Value, to: readonly Value[], attributes: Attributes) => {
    const name = op.fresh("Resize");
    return op.append({
      opType: "Resize",
      domain: "",
      name,
      inputs: [x, region, ...to],
      outputs: [name],
      attributes,
    })[0]!;
  };
  if (!common || common.scales) return op.squeeze(resized(rows, to, attributes), [0, 1]);
  // The policy itself has to choose the scale, from the sizes of the axis that it takes it from. Along that one, rows are
  // repeated: any of what comes out will do.
  const { from: size, to: asked } = common.decisive;
  const repeated = op.expand(op.transpose(rows, [0, 2, 1, 3]), op.sizes([1, length, size, length])); // [1, in, size, in]
  const policy = string("keep_aspect_ratio_policy", "stretch");
  const shaped = resized(repeated, ["", op.ints([asked, common.asked[at]!])], {
    ...attributes,
    axes: { type: "ints", value: [2, 3] },
    keep_aspect_ratio_policy: { type: "string", value: policy },
  });
  return op.squeeze(op.slice(shaped, { axes: [2], starts: [0], ends: [1] }), [0, 2]);
}

/** What an aspect-ratio policy makes of the sizes that it is asked for. */
type Common = {
  readonly asked: readonly number[];
  /** The scale of all axes, once for each; undefined where it makes sizes that no scale would: the policy rounds up. */
  readonly scales: Value | undefined;
  /** Sizes of the axis that the scale is taken from, in lowest terms: others of the same ratio would do. */
  readonly decisive: { readonly from: number; readonly to: number };
};

/** Undefined where there is no policy, and sizes count as they are. */
function commonScale(context: VjpContext): Common | undefined {
  const { op, inputs, outputs, string, refuse } = context;
  const policy = string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return undefined;
  const asked = op.integers(inputs[3] ?? "");
  const axes = resizable(context);
  const [from, to] = [inputs[0]!, outputs[0]!].map((value) => axes.map((axis) => op.dims(value)?.[axis]));
  if (!asked || !isStatic(from as Shape) || !isStatic(to as Shape))
    throw refuse(`keep_aspect_ratio_policy "${policy}" needs sizes that are known`);
  const sizes = from as readonly number[];
  const ratios = asked.map((size, i) => Math.fround(size / sizes[i]!));
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  const at = ratios.indexOf(scale);
  const divisor = greatestCommon(asked[at]!, sizes[at]!);
  const whole = sizes.every((size, i) => Math.floor(Math.fround(size * scale)) === to![i]);
  return {
    asked,
    scales: whole ? op.constant(float32([axes.length], Array(axes.length).fill(scale))) : undefined,
    decisive: { from: sizes[at]! / divisor, to: asked[at]! / divisor },
  };
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b);
}

/** Axes in the order of the scales, sizes and regions. */
function resizable({ op, inputs, ints }: VjpContext): number[] {
  const rank = op.rank(inputs[0]!);
  return ints("axes")?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? Array.from({ length: rank }, (_, i) => i);
}

/** How often each spatial pixel is repeated, where that is all that the node does. */
function repeats(context: VjpContext): readonly number[] | undefined {
  const { op, inputs, outputs, string } = context;
  const x = inputs[0]!;
  const rank = op.rank(x);
  const resized = resizedAxes(context);
  if (string("mode", "nearest") !== "nearest" || rank < 3 || resized.length === 0) return undefined;
  const scales = inputs[2] ? op.integers(inputs[2]) : undefined;
  const factors = Array<number>(rank).fill(1);
  for (const { axis, at } of resized) {
    const [from, to] = [op.dims(x)?.[axis], op.dims(outputs[0]!)?.[axis]];
    const counted = typeof from === "number" && typeof to === "number" ? to / from : undefined;
    factors[axis] = inputs[2] ? (scales?.[at] ?? 0) : (counted ?? 0);
  }
  if (factors[0] !== 1 || factors[1] !== 1 || !factors.every((f) => Number.isInteger(f) && f > 0)) return undefined;
  const coordinates = string("coordinate_transformation_mode", "half_pixel");
  const rounding = string("nearest_mode", "round_prefer_floor");
  const centred = /half_pixel/.test(coordinates) && rounding.startsWith("round");
  const cornered =
    coordinates === "asymmetric" &&
    (rounding === "floor" || (rounding === "round_prefer_floor" && Math.max(...factors) <= 2));
  return centred || cornered ? factors.slice(2) : undefined;
}
