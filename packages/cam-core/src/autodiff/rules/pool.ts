import type { Builder, Value } from "../../graph/builder.ts";
import { defineRules } from "../rule.ts";
import { averageBack, sumBack } from "./pool-back.ts";
import { quotientOrZero } from "./quotient.ts";
import { scatterAdd } from "./scatter.ts";

/** x: [N, C, ...in], y: [N, C, ...out]; one to three spatial axes. */
export const pool = defineRules({
  GlobalAveragePool: {
    kind: "linear",
    vjp: ({ op, inputs: [x], dy }) => {
      const axes = Array.from({ length: op.rank(x!) - 2 }, (_, i) => i + 2);
      const count = op.count(x!, axes);
      const known = op.integers(count)?.[0];
      const share = known === undefined ? op.div(dy, op.cast(count, op.dtype(dy))) : op.mul(dy, 1 / known);
      return [op.shapedLike(op.expand(share, op.shape(x!)), x!)];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5, 4])] },
      { inputs: [rng.normal([2, 3, 7])] },
      { inputs: [rng.normal([1, 2, 3, 4, 2])] },
    ],
  },

  // The first maximum, in row-major order, takes the whole cotangent, as in PyTorch.
  GlobalMaxPool: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], dy }) => {
      const flat = (value: Value) => op.reshape(value, [0, 0, -1]);
      const pixels = flat(x!);
      const first = op.argMax(pixels, { axis: 2, keepdims: true }); // [N, C, 1]
      const [zero, one] = [op.scalar(0, "int64"), op.scalar(1, "int64")];
      const position = op.range(zero, op.squeeze(op.dim(pixels, 2), [0]), one);
      return [op.reshapeLike(op.where(op.equal(position, first), flat(dy), 0), x!)];
    },
    sample: (rng) => [
      { inputs: [rng.distinct([2, 3, 5, 4], 0.1)] },
      { inputs: [rng.distinct([2, 3, 7], 0.1)] },
      { inputs: [rng.distinct([1, 2, 3, 4, 2], 0.1)] },
    ],
  },

  // y = (Σ |x|^p)^(1/p). Where all of x is 0 the gradient is 0.
  GlobalLpPool: {
    kind: "smooth",
    vjp: ({ op, inputs: [x], outputs: [y], dy, int }) => {
      const p = int("p", 2);
      return [op.mul(powerSlope(op, x!, p), rootSlope(op, y!, dy, p))];
    },
    sample: (rng) => [
      { inputs: [rng.away(0, [2, 3, 5, 4])] },
      { inputs: [rng.away(0, [2, 3, 7])], attributes: { p: 1 } },
      { inputs: [rng.away(0, [1, 2, 3, 4, 2])], attributes: { p: 3 } },
    ],
  },

  // The first maximum of each window takes its cotangent. The positions come from a second MaxPool: the forward one, which
  // stays as it is, runs faster without them. In milliseconds on one thread, 3×3 at stride 2 of 64×112²: positions 6.8 and
  // scattering 1.3; comparing the nine shifted pictures with y and adding them up 7.3.
  MaxPool: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], outputs, dy, ints, int, string }) => {
      const given = int("storage_order", 0) === 0 ? outputs[1] : undefined;
      const positions =
        given ||
        op.maxPoolIndices(x!, {
          kernel_shape: ints("kernel_shape") ?? [],
          strides: ints("strides"),
          dilations: ints("dilations"),
          pads: ints("pads"),
          auto_pad: string("auto_pad", "NOTSET"),
          ceil_mode: int("ceil_mode", 0),
        });
      const axes = Array.from({ length: op.rank(x!) }, (_, axis) => axis);
      const flat = (value: Value) => op.reshape(value, [-1]);
      return [op.reshapeLike(scatterAdd(op, op.count(x!, axes), flat(positions), flat(dy), 0), x!)];
    },
    sample: (rng) => {
      const on = (x: readonly number[], kernel_shape: readonly number[], attributes = {}, outputs = 1) => ({
        inputs: [rng.distinct(x)],
        attributes: { kernel_shape, ...attributes },
        outputs,
      });
      return [
        on([2, 3, 7, 6], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
        on([2, 3, 6, 8], [2, 2], { strides: [2, 2] }),
        on([2, 2, 7, 9], [2, 3], { strides: [3, 2], pads: [0, 1, 1, 0] }),
        on([2, 2, 7, 6], [3, 3], { pads: [1, 1, 1, 1] }, 2),
        on([1, 2, 9, 8], [2, 3], { dilations: [3, 2], pads: [1, 0, 0, 2] }),
        on([2, 2, 6, 7], [3, 3], { strides: [2, 2], ceil_mode: 1 }),
        on([2, 2, 7, 8], [3, 2], { strides: [2, 3], auto_pad: "SAME_UPPER" }),
        on([2, 2, 7, 8], [3, 4], { strides: [2, 3], auto_pad: "SAME_LOWER" }),
        on([2, 2, 7, 8], [3, 4], { strides: [2, 3], auto_pad: "VALID" }),
        on([2, 3, 9], [3], { strides: [2], pads: [1, 1] }),
        on([1, 2, 5, 4, 6], [2, 3, 2], { strides: [2, 1, 2], pads: [0, 1, 1, 0, 1, 0] }),
        on([2, 2, 5, 6], [2, 2], { storage_order: 1 }, 2),
      ];
    },
  },

  AveragePool: {
    kind: "linear",
    vjp: (context) => [averageBack(context)],
    sample: (rng) => {
      const on = (x: readonly number[], kernel_shape: readonly number[], attributes = {}, opset = 18) => ({
        inputs: [rng.normal(x)],
        attributes: { kernel_shape, ...attributes },
        opset,
      });
      return [
        on([2, 3, 6, 8], [2, 2], { strides: [2, 2] }),
        on([2, 3, 7, 8], [2, 2], { strides: [2, 2] }),
        on([2, 3, 7, 6], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
        on([2, 3, 7, 6], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
        on([2, 2, 5, 6], [3, 2], { pads: [1, 0, 1, 1] }),
        on([2, 2, 5, 6], [3, 3], { pads: [1, 1, 1, 1], count_include_pad: 1 }),
        on([2, 2, 7, 9], [1, 2], { strides: [3, 3] }),
        on([2, 2, 6, 7], [3, 3], { strides: [2, 2], ceil_mode: 1 }),
        on([2, 2, 8, 7], [3, 3], { strides: [2, 2], ceil_mode: 1, pads: [1, 0, 1, 1], count_include_pad: 1 }),
        on([2, 2, 8, 7], [3, 1], { strides: [2, 1], ceil_mode: 1, pads: [1, 0, 0, 0] }),
        on([2, 2, 7, 8], [3, 2], { strides: [2, 3], auto_pad: "SAME_UPPER" }),
        on([2, 2, 7, 8], [3, 4], { strides: [2, 3], auto_pad: "SAME_LOWER", count_include_pad: 1 }),
        on([2, 2, 7, 8], [3, 4], { auto_pad: "VALID" }),
        on([2, 2, 9, 8], [3, 2], { strides: [2, 1], dilations: [2, 3], pads: [2, 1, 1, 0] }, 19),
        on([2, 2, 9, 8], [3, 2], { strides: [2, 2], dilations: [2, 3], ceil_mode: 1 }, 19),
        on([2, 3, 9], [3], { strides: [2], pads: [1, 1] }),
        on([2, 3, 10], [3], { strides: [2], ceil_mode: 1 }),
        on([1, 2, 5, 4, 6], [2, 3, 2], { strides: [2, 1, 2], pads: [0, 1, 1, 0, 1, 0] }),
        on([1, 2, 6, 4, 6], [3, 3, 2], { strides: [2, 2, 3], ceil_mode: 1 }),
        on([1, 2, 4, 4, 6], [2, 2, 2], { strides: [2, 2, 2] }),
      ];
    },
  },

  // y = (Σ |x|^p)^(1/p) over each window. Where all of a window is 0 its gradient is 0.
  LpPool: {
    kind: "smooth",
    vjp: (context) => {
      const { op, inputs, outputs, dy, int } = context;
      const p = int("p", 2);
      const spread = sumBack(context, rootSlope(op, outputs[0]!, dy, p));
      return [op.mul(powerSlope(op, inputs[0]!, p), spread)];
    },
    sample: (rng) => {
      const on = (x: readonly number[], kernel_shape: readonly number[], attributes = {}) => ({
        inputs: [rng.away(0, x)],
        attributes: { kernel_shape, ...attributes },
      });
      return [
        on([2, 3, 6, 8], [2, 2], { strides: [2, 2] }),
        on([2, 3, 7, 6], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], p: 3 }),
        on([2, 2, 5, 6], [3, 2], { pads: [1, 0, 1, 1], p: 1 }),
        on([2, 2, 7, 8], [3, 2], { strides: [2, 3], auto_pad: "SAME_UPPER" }),
        on([2, 2, 9, 8], [3, 2], { dilations: [2, 3] }),
        on([2, 2, 6, 7], [3, 3], { strides: [2, 2], ceil_mode: 1 }),
        on([2, 3, 9], [3], { strides: [2], pads: [1, 1] }),
        on([1, 2, 5, 4, 6], [2, 3, 2], { strides: [2, 1, 2] }),
      ];
    },
  },
});

/** d Σ|x|^p / dx, without its factor p: sign(x) · |x|^(p-1). */
function powerSlope(op: Builder, x: Value, p: number): Value {
  if (p === 1) return op.sign(x);
  if (p === 2) return x;
  return op.mul(op.sign(x), op.pow(op.abs(x), p - 1));
}

/** dy / y^(p-1): the root's share of the slope, the factor 1/p gone with the power's p; 0 where y is. */
function rootSlope(op: Builder, y: Value, dy: Value, p: number): Value {
  if (p === 1) return dy;
  return quotientOrZero(op, dy, p === 2 ? y : op.pow(y, p - 1));
}
