import type { Builder, Value } from "../../graph/builder.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { batchNorm } from "./batch-norm.ts";
import { divisiveNorm, lastAxes } from "./divisive-norm.ts";
import { alongSpace } from "./per-channel.ts";
import { summedIn } from "./scatter.ts";

/** x̂, what it was divided by (inverted), and over which axes: the group of elements that share a mean. */
type Normalised = { readonly unit: Value; readonly inverse: Value; readonly axes: readonly number[] };

/**
 * Normalisations. All that subtract a mean of x share one law. With x̂ = (x - mean) / deviation over a group of elements, and
 * g the cotangent of x̂:
 *
 *   dx = (g - mean(g) - x̂ · mean(g · x̂)) / deviation
 *
 * Statistics are computed again, in float32 (float64 for float64), as the forward node keeps none.
 */
export const norm = defineRules({
  ...batchNorm,

  // Over space, per sample and channel; scale and bias per channel.
  InstanceNormalization: {
    kind: "smooth",
    vjp: (context) => {
      const { op, inputs, float } = context;
      const x = widened(op, inputs[0]!);
      return perGroup(context, normalised(op, x, axesOf(op, x).slice(2), float("epsilon", 1e-5)));
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 4, 5]), rng.normal([3]), rng.normal([3])] },
      { inputs: [rng.normal([2, 3, 7]), rng.normal([3]), rng.normal([3])], attributes: { epsilon: { float: 0.125 } } },
      { inputs: [rng.normal([1, 2, 3, 2, 2]), rng.normal([2]), rng.normal([2])] },
    ],
  },

  // Over space and a group of channels. Scale and bias are per group in opset 18, per channel from opset 21 on.
  GroupNormalization: {
    kind: "smooth",
    vjp: (context) => {
      const { op, inputs, dy, opset, wants, int, float } = context;
      const grouped = (value: Value) => op.reshape(value, [0, int("num_groups", 1), -1]); // [N, groups, rest]
      const given = normalised(op, grouped(widened(op, inputs[0]!)), [2], float("epsilon", 1e-5));
      if (opset < 21) return perGroup(context, given, grouped);
      const [x, scale, bias] = inputs as [Value, Value, Value];
      const wide = widened(op, dy);
      const others = axesOf(op, x).filter((axis) => axis !== 1);
      const dx = () => {
        const g = op.mul(wide, alongSpace(op, widened(op, scale), x));
        return op.reshapeLike(back(op, grouped(g), given), x);
      };
      const summed = (value: Value, like: Value) =>
        op.cast(op.reduceSum(value, { axes: others, keepdims: false }), op.dtype(like));
      return [
        wants(0) ? op.cast(dx(), op.dtype(x)) : null,
        wants(1) ? summed(op.mul(wide, op.reshapeLike(given.unit, x)), scale) : null,
        wants(2) ? summed(wide, bias) : null,
      ];
    },
    sample: (rng) => {
      const stash_type = 11; // float64: the means, too, keep what the check is run in
      const affine = (n: number) => [rng.normal([n]), rng.normal([n])];
      return [
        { inputs: [rng.normal([2, 6, 3, 2]), ...affine(2)], attributes: { num_groups: 2 } },
        { inputs: [rng.normal([2, 4, 5]), ...affine(1)], attributes: { num_groups: 1, epsilon: { float: 0.125 } } },
        { inputs: [rng.normal([2, 6, 3, 2]), ...affine(6)], attributes: { num_groups: 3, stash_type }, opset: 21 },
        { inputs: [rng.normal([2, 3, 7]), ...affine(3)], attributes: { num_groups: 3, stash_type }, opset: 21 },
        { inputs: [rng.normal([2, 4, 2, 3, 2]), ...affine(4)], attributes: { num_groups: 1, stash_type }, opset: 21 },
      ];
    },
  },

  // Over `axis` and all behind it; scale and bias lie over the same elements. Mean and 1 / deviation are outputs, too:
  //   dx += dMean / n - dInverse · inverse² · x̂ / n
  LayerNormalization: {
    kind: "smooth",
    vjp: (context) => {
      const { op, dys, wants, float } = context;
      const [x, scale, bias] = context.inputs as [Value, Value, Value?];
      const wide = widened(op, x);
      const axes = lastAxes(context, x);
      const given = normalised(op, wide, axes, float("epsilon", 1e-5));
      const [dy, dMean, dInverse] = dys.map((one) => (one ? op.cast(one, op.dtype(wide)) : undefined));
      const perElement = (value: Value) =>
        op.div(value, op.cast(op.reduceProd(op.shape(x, axes[0]), { axes: "all", keepdims: false }), op.dtype(wide)));
      const parts: Value[] = [];
      if (wants(0) && dy) parts.push(back(op, op.mul(dy, widened(op, scale)), given));
      if (wants(0) && dMean) parts.push(op.expand(perElement(dMean), op.shape(x)));
      if (wants(0) && dInverse) {
        const factor = perElement(op.mul(dInverse, op.mul(given.inverse, given.inverse)));
        parts.push(op.neg(op.mul(given.unit, factor)));
      }
      return [
        parts.length > 0
          ? op.cast(
              parts.reduce((a, b) => op.add(a, b)),
              op.dtype(x),
            )
          : null,
        wants(1) && dy ? op.cast(op.mul(dy, given.unit), op.dtype(scale)) : null,
        bias && dy ? op.cast(dy, op.dtype(bias)) : null,
      ];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5]), rng.normal([5]), rng.normal([5])] },
      { inputs: [rng.normal([2, 3, 5]), rng.normal([5])], attributes: { epsilon: { float: 0.125 } } },
      { inputs: [rng.normal([2, 3, 5]), rng.normal([3, 5]), rng.normal([3, 5])], attributes: { axis: 1 } },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([4]), rng.normal([1, 4])], attributes: { axis: -2 } },
    ],
  },

  // (x - mean) / deviation over the axes, by default all but the channels'; y is x̂.
  MeanVarianceNormalization: {
    kind: "smooth",
    vjp: ({ op, inputs: [x], outputs: [y], dy, ints }) => {
      const axes = ints("axes") ?? [0, 2, 3];
      const { inverse } = byMoments(op, widened(op, x!), axes, 0);
      return [op.cast(back(op, widened(op, dy), { unit: widened(op, y!), inverse, axes }), op.dtype(x!))];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 4, 5])] },
      { inputs: [rng.normal([2, 3, 5])], attributes: { axes: [-1] } },
    ],
  },

  ...divisiveNorm,
});

function axesOf(op: Builder, x: Value): number[] {
  return Array.from({ length: op.rank(x) }, (_, axis) => axis);
}

function widened(op: Builder, x: Value): Value {
  return op.cast(x, summedIn(op.dtype(x)));
}

/**
 * x̂ and 1 / deviation. Where the axes are the last ones, one LayerNormalization gives both in a single pass over x; its
 * deviation has float32's precision only.
 */
function normalised(op: Builder, x: Value, axes: readonly number[], epsilon: number): Normalised {
  if (op.dtype(x) !== "float32") return byMoments(op, x, axes, epsilon);
  const ones = op.expand(op.scalar(1, "float32"), op.shape(x, axes[0]));
  const [unit, , inverse] = op.node("LayerNormalization", [x, ones], { axis: axes[0]!, epsilon }, { outputs: 3 });
  return { unit: unit!, inverse: inverse!, axes };
}

function byMoments(op: Builder, x: Value, axes: readonly number[], epsilon: number): Normalised {
  const centred = op.sub(x, op.reduceMean(x, { axes }));
  const variance = op.reduceMean(op.mul(centred, centred), { axes });
  const inverse = op.reciprocal(op.sqrt(op.add(variance, epsilon)));
  return { unit: op.mul(centred, inverse), inverse, axes };
}

/** The law of the family. `slope` stands in for 1 / deviation where a scale rides along. */
function back(
  op: Builder,
  g: Value,
  { unit, inverse, axes }: Normalised,
  { product = op.mul(g, unit), slope = inverse }: { product?: Value; slope?: Value } = {},
): Value {
  const mean = (value: Value) => op.reduceMean(value, { axes });
  return op.mul(op.sub(op.sub(g, mean(g)), op.mul(unit, mean(product))), slope);
}

/** Where one scale and bias serve a whole group (axis 1 of x̂), they stay out of the means. */
function perGroup(
  { op, inputs: [x, scale, bias], dy, wants }: VjpContext,
  given: Normalised,
  grouped = (value: Value) => value,
): (Value | null)[] {
  const g = grouped(widened(op, dy));
  const product = wants(0) || wants(1) ? op.mul(g, given.unit) : "";
  const dx = () => {
    const slope = op.mul(given.inverse, alongSpace(op, widened(op, scale!), given.unit));
    return op.reshapeLike(back(op, g, given, { product, slope }), x!);
  };
  const summed = (value: Value, like: Value) =>
    op.cast(op.reduceSum(value, { axes: [0, ...given.axes], keepdims: false }), op.dtype(like));
  return [
    wants(0) ? op.cast(dx(), op.dtype(x!)) : null,
    wants(1) ? summed(product, scale!) : null,
    wants(2) ? summed(g, bias!) : null,
  ];
}
