import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { float32, float64, type Tensor } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Sample, type VjpContext } from "../rule.ts";
import { scatterAdd } from "./scatter.ts";

/**
 * GridSample reads x at the points of a grid: a sum over the pixels (taps) around each point, whose weights are polynomials
 * in how far the point lies beyond a pixel, axis by axis.
 *
 *   y[n, c, p] = sum over taps of weight[n, tap, p] * x[n, c, pixel[n, tap, p]]
 *
 * So dx adds weight * dy at those pixels, and the grid gets what the weights' slopes make of x · dy, summed over channels.
 *
 * x: [N, C, ...in], grid: [N, ...out, axes] with the last axis of x first, y: [N, C, ...out]; two or three spatial axes.
 */
export const gridSample = defineRules({
  GridSample: {
    kind: "kinked",
    vjp: (context) => {
      const { op, inputs, dy, wants } = context;
      const [x, grid] = inputs as [Value, Value];
      const flat = (value: Value) => op.reshape(value, [0, 0, -1]);
      const axes = tappedAxes(context, grid, x);
      const pixels = flatPixels(op, x, axes);
      const cotangent = flat(dy); // [N, C, points]
      const dx = () => {
        const weights = op.unsqueeze(
          product(
            op,
            axes.map(({ weights }) => weights),
          ),
          [1],
        ); // [N, 1, taps, points]
        const updates = flat(op.mul(op.unsqueeze(cotangent, [2]), weights));
        const indices = op.expand(op.reshape(pixels, op.sizes([op.dim(x, 0), 1, -1])), op.shape(updates));
        return op.reshapeLike(scatterAdd(op, op.shape(flat(x)), indices, updates, 2), x);
      };
      const dgrid = () => {
        const last = (value: Value) => op.transpose(value, [0, 2, 1]);
        const read = op.gatherND(last(flat(x)), op.unsqueeze(pixels, [-1]), 1); // [N, taps, points, C]
        const seen = op.reduceSum(op.mul(read, op.unsqueeze(last(cotangent), [1])), { axes: [3], keepdims: false });
        const slopes = axes.map(({ slopes, perUnit }, at) => {
          const slope = product(
            op,
            axes.map(({ weights }, other) => (other === at ? slopes : weights)),
          );
          const sum = op.reduceSum(op.mul(seen, slope), { axes: [1], keepdims: false });
          return op.unsqueeze(op.mul(sum, perUnit), [2]); // [N, points, 1]
        });
        return op.reshapeLike(op.concat(slopes.reverse(), 2), grid);
      };
      // The nearest pixel stays the same under a small step.
      const stepped = kernelOf(context) === kernels.nearest;
      return [wants(0) ? dx() : null, wants(1) && !stepped ? dgrid() : null];
    },
    sample: (rng) => {
      const paddings = ["zeros", "border", "reflection"];
      const on = (mode: string, shape: readonly number[], out: readonly number[], opset: number): Sample[] =>
        paddings.flatMap((padding_mode) =>
          [0, 1].map((align_corners) => ({
            inputs: [rng.normal(shape), gridBetweenPixels(rng, shape, out, align_corners === 1)],
            attributes: { mode, padding_mode, align_corners },
            opset,
            ...(mode === "nearest" ? { wrt: [0] } : {}),
          })),
        );
      return [
        ...on("bilinear", [2, 3, 4, 5], [3, 4], 18),
        ...on("nearest", [2, 3, 4, 5], [3, 4], 18),
        ...on("bicubic", [2, 2, 4, 5], [3, 3], 18),
        ...on("linear", [2, 2, 3, 5], [4, 2], 20),
        ...on("cubic", [1, 2, 5, 4], [3, 2], 20),
        ...on("linear", [2, 2, 3, 4, 2], [2, 3, 2], 20),
        ...on("nearest", [1, 2, 3, 4, 2], [3, 4, 4], 20),
      ];
    },
  },
});

/** The pixels that count around a point: offsets from the one before it, and weights as polynomials in the way beyond it. */
type Kernel = { readonly offsets: readonly number[]; readonly weights: readonly (readonly number[])[] };

/** Keys' cubic convolution with a = -0.75, as in PyTorch. Coefficients: constant first. */
const kernels = {
  nearest: { offsets: [0], weights: [[1]] },
  linear: {
    offsets: [0, 1],
    weights: [
      [1, -1],
      [0, 1],
    ],
  },
  cubic: {
    offsets: [-1, 0, 1, 2],
    weights: [
      [0, -0.75, 1.5, -0.75],
      [1, 0, -2.25, 1.25],
      [0, 0.75, 1.5, -1.25],
      [0, 0, -0.75, 0.75],
    ],
  },
} as const satisfies Record<string, Kernel>;

function kernelOf({ string, refuse }: VjpContext): Kernel {
  const mode = string("mode", "linear").replace(/^bi/, "");
  if (mode in kernels) return kernels[mode as keyof typeof kernels];
  throw refuse(`mode "${mode}" has no rule`);
}

/** What the taps of one axis read: pixels, weights and the weights' slopes, each [N, taps, points]. */
type TappedAxis = { pixels: Value; weights: Value; slopes: Value; perUnit: Operand };

/** The axes of x in order; the grid names them in reverse. */
function tappedAxes(context: VjpContext, grid: Value, x: Value): TappedAxis[] {
  const { op, int, string } = context;
  const kernel = kernelOf(context);
  const count = op.rank(x) - 2;
  const points = op.reshape(grid, [0, -1, count]); // [N, points, axes]
  const columns = op.split(points, { axis: 2, sizes: Array(count).fill(1), outputs: count }).reverse();
  const aligned = int("align_corners", 0) === 1;
  const padding = string("padding_mode", "zeros");
  return columns.map((column, axis) => {
    const known = op.dims(x)?.[axis + 2];
    const length: Operand = typeof known === "number" ? known : op.cast(op.dim(x, axis + 2), op.dtype(grid));
    const less = (by: number): Operand => (typeof length === "number" ? length - by : op.sub(length, by));
    const shifted = op.add(op.transpose(column, [0, 2, 1]), 1); // [N, 1, points], 0 … 2 across x
    const asked = aligned ? op.mul(op.div(shifted, 2), less(1)) : op.div(op.sub(op.mul(shifted, length), 1), 2);
    // Elsewhere it is the pixels around the point that are brought inside, one by one.
    const whole = kernel === kernels.linear && padding !== "zeros";
    const { at, direction } = whole ? broughtInside(op, asked, length, aligned, padding) : { at: asked };
    const before = kernel === kernels.nearest ? op.round(at) : op.floor(at);
    const beyond = op.sub(at, before);
    const taps = op.add(before, constants(op, grid, kernel.offsets));
    const inside = op.and(op.greaterOrEqual(taps, 0), op.lessOrEqual(taps, less(1)));
    const kept = (weights: Value) => (padding === "zeros" ? op.where(inside, weights, 0) : weights);
    const pixels = padding === "reflection" && !whole ? mirroredPixels(op, taps, length, aligned) : taps;
    const derivatives = kernel.weights.map((weight) => weight.slice(1).map((factor, power) => factor * (power + 1)));
    const slopes = kept(polynomials(op, beyond, derivatives));
    return {
      pixels: op.cast(op.clip(pixels, 0, less(1)), "int64"),
      weights: kept(polynomials(op, beyond, kernel.weights)),
      slopes: direction ? op.mul(slopes, direction) : slopes,
      perUnit: half(op, aligned ? less(1) : length),
    };
  });
}

/** Each weight's polynomial at `t` [N, 1, points], one after another along axis 1, by Horner's rule. */
function polynomials(op: Builder, t: Value, weights: readonly (readonly number[])[]): Value {
  const degree = Math.max(...weights.map((weight) => weight.length)) - 1;
  const factors = (power: number) =>
    constants(
      op,
      t,
      weights.map((weight) => weight[power] ?? 0),
    );
  if (degree < 1) return op.expand(factors(0), op.shape(t));
  let sum = factors(degree);
  for (let power = degree - 1; power >= 0; power--) sum = op.add(op.mul(sum, t), factors(power));
  return sum;
}

/** Numbers along axis 1. */
function constants(op: Builder, like: Value, values: readonly number[]): Value {
  const make = op.dtype(like) === "float64" ? float64 : float32;
  return op.cast(op.constant(make([1, values.length, 1], values)), op.dtype(like));
}

function half(op: Builder, length: Operand): Operand {
  return typeof length === "number" ? length / 2 : op.div(length, 2);
}

/** 2 · length - less, but at least 1: a single pixel mirrors into itself. */
function stretched(op: Builder, length: Operand, less: number): Operand {
  return typeof length === "number" ? Math.max(2 * length - less, 1) : op.max(op.sub(op.mul(length, 2), less), 1);
}

/** x modulo a period, positive. */
function modulo(op: Builder, x: Value, period: Operand): Value {
  return op.sub(x, op.mul(op.floor(op.div(x, period)), period));
}

/** Pixels beyond an end, mirrored there: in the end pixel's centre (aligned), or in its outer edge. */
function mirroredPixels(op: Builder, taps: Value, length: Operand, aligned: boolean): Value {
  const period = stretched(op, length, aligned ? 2 : 0);
  const within = modulo(op, taps, period);
  return op.min(within, op.sub(aligned ? period : stretched(op, length, 1), within));
}

/**
 * A point mirrored at the ends, or moved to the border; and how it then moves when it is moved: 1, backwards -1, or 0 on and
 * beyond the border. This tells the two sides of a kink apart as PyTorch does, which bringing its pixels inside would not.
 */
function broughtInside(op: Builder, asked: Value, length: Operand, aligned: boolean, padding: string) {
  const last: Operand = typeof length === "number" ? length - 1 : op.sub(length, 1);
  const mirrored = () => {
    const edge = aligned ? 0 : 0.5;
    const period = stretched(op, length, aligned ? 2 : 0);
    const there = modulo(op, op.add(asked, edge), period);
    const back = op.sub(period, there);
    return { point: op.sub(op.min(there, back), edge), way: op.sign(op.sub(back, there)) };
  };
  const { point, way } = padding === "reflection" ? mirrored() : { point: asked, way: undefined };
  const inside = op.and(op.greater(point, 0), op.less(point, last));
  const direction = way ? op.where(inside, way, 0) : op.cast(inside, op.dtype(asked));
  return { at: op.clip(point, 0, last), direction };
}

/** What the axes' taps have in common, for all their combinations: [N, taps of all axes, points]. */
function combined(op: Builder, parts: readonly Value[], combine: (a: Value, b: Value) => Value): Value {
  const places = parts.map((_, i) => i + 1);
  const spread = parts.map((part, i) =>
    op.unsqueeze(
      part,
      places.filter((place) => place !== i + 1),
    ),
  );
  const taps = parts.map((part) => op.dims(part)?.[1] as number).reduce((a, b) => a * b, 1);
  return op.reshape(spread.reduce(combine), [0, taps, -1]);
}

function product(op: Builder, parts: readonly Value[]): Value {
  return combined(op, parts, (a, b) => op.mul(a, b));
}

/** Positions in x's flattened space: [N, taps, points]. */
function flatPixels(op: Builder, x: Value, axes: readonly TappedAxis[]): Value {
  const strided = axes.map(({ pixels }, i) => {
    const behind = axes.slice(i + 1).map((_, j) => i + 3 + j);
    return behind.length === 0 ? pixels : op.mul(pixels, op.count(x, behind));
  });
  return combined(op, strided, (a, b) => op.add(a, b));
}

/** Points that keep away from the pixels' rows and columns, where linear interpolation has kinks; some lie outside. */
function gridBetweenPixels(rng: Rng, shape: readonly number[], out: readonly number[], aligned: boolean): Tensor {
  const lengths = shape.slice(2).reverse();
  const points = shape[0]! * out.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: points * lengths.length }, (_, i) => {
    const length = lengths[i % lengths.length]!;
    const at = rng.int(length + 4) - 2 + 0.2 + 0.6 * rng.next();
    return aligned ? (2 * at) / (length - 1) - 1 : (2 * at + 1) / length - 1;
  });
  return float32([shape[0]!, ...out, lengths.length], values);
}
