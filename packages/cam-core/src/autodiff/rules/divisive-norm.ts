import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { quotientOrZero } from "./quotient.ts";
import { summedIn } from "./scatter.ts";

/** Normalisations that divide by a size without subtracting a mean. */
export const divisiveNorm = defineRules({
  // y = scale · x · r, r = 1 / √(mean(x²) + ε) over the last axes. With g = dy · scale: dx = r · g - x · r³ · mean(g · x).
  RMSNormalization: {
    kind: "smooth",
    vjp: (context) => {
      const { op, dy, wants, float } = context;
      const [given, scale] = context.inputs;
      const wide = summedIn(op.dtype(given!));
      const x = op.cast(given!, wide);
      const g = op.mul(op.cast(dy, wide), op.cast(scale!, wide));
      const axes = lastAxes(context, x);
      const size = sizeOver(op, x, axes);
      const meanSquare = op.div(op.reduceSumSquare(x, { axes }), size);
      const r = op.reciprocal(op.sqrt(op.add(meanSquare, float("epsilon", 1e-5))));
      const dx = () => {
        const mean = op.reduceMean(op.mul(g, x), { axes });
        return op.sub(op.mul(g, r), op.mul(x, op.mul(op.mul(mean, r), op.mul(r, r))));
      };
      return [
        wants(0) ? op.cast(dx(), op.dtype(given!)) : null,
        wants(1) ? op.cast(op.mul(op.cast(dy, wide), op.mul(x, r)), op.dtype(scale!)) : null,
      ];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5]), rng.normal([5])], opset: 23 },
      {
        inputs: [rng.normal([2, 3, 5]), rng.normal([3, 5])],
        attributes: { axis: 1, epsilon: { float: 0.125 } },
        opset: 23,
      },
      { inputs: [rng.normal([2, 3, 4]), rng.normal([4])], attributes: { axis: -2 }, opset: 23 },
    ],
  },

  // y = x / ‖x‖ along an axis: (dy - d‖x‖ · sum(dy · y)) / ‖x‖, where d‖x‖ is y for p = 2 and sign(x) for p = 1. A vector
  // of zeros stays one, and its gradient is 0.
  LpNormalization: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], outputs: [y], dy, int }) => {
      const axes = [int("axis", -1)];
      const euclidean = int("p", 2) === 2;
      const length = euclidean ? op.reduceL2(x!, { axes }) : op.reduceL1(x!, { axes });
      const projection = op.reduceSum(op.mul(dy, y!), { axes });
      const inverse = quotientOrZero(op, op.fillLike(length, 1), length);
      return [op.mul(op.sub(dy, op.mul(euclidean ? y! : op.sign(x!), projection)), inverse)];
    },
    sample: (rng) => [
      { inputs: [rng.away(0, [2, 3, 5])] },
      { inputs: [rng.away(0, [2, 3, 5])], attributes: { axis: 1, p: 2 } },
      { inputs: [rng.away(0, [2, 3, 5])], attributes: { axis: 0, p: 1 } },
      { inputs: [rng.away(0, [2, 3, 5])], attributes: { axis: -2, p: 1 } },
    ],
  },

  // y = x · u^-β, u = bias + α / size · (sum of x² over the window of channels around each). The windows that a channel is in
  // are those of the channels in its own (sizes are odd), so
  //   dx = dy · u^-β - 2 α β · x · (mean over its window of dy · x · u^(-β-1))
  // The means are average pools along the channels, whose zero padding counts.
  LRN: {
    kind: "smooth",
    vjp: ({ op, inputs: [x], dy, int, float }) => {
      const size = int("size", 1);
      const [alpha, beta, half] = [float("alpha", 1e-4), float("beta", 0.75), (size - 1) / 2];
      const windowMean = (value: Value) => {
        const rows = op.unsqueeze(op.reshape(value, [0, 0, -1]), [1]); // [N, 1, C, space]
        const window = { kernel_shape: [size, 1], pads: [half, 0, half, 0], count_include_pad: 1 };
        return op.reshapeLike(op.averagePool(rows, window), x!);
      };
      const u = op.add(op.mul(windowMean(op.mul(x!, x!)), alpha), float("bias", 1));
      const own = op.mul(dy, op.pow(u, -beta));
      const around = windowMean(op.div(op.mul(own, x!), u));
      return [op.sub(own, op.mul(op.mul(x!, 2 * alpha * beta), around))];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 7, 3, 2])], attributes: { size: 5, alpha: { float: 1.5 } } },
      {
        inputs: [rng.normal([2, 5, 2, 3])],
        attributes: { size: 3, alpha: { float: 2 }, beta: { float: 0.5 }, bias: { float: 2 } },
      },
      { inputs: [rng.normal([1, 2, 3, 3])], attributes: { size: 5, alpha: { float: 1 }, beta: { float: 1.25 } } },
      { inputs: [rng.normal([2, 3, 2, 2])], attributes: { size: 1, alpha: { float: 1 } } },
    ],
  },
});

/** The attribute `axis`, by default the last one, and all behind it. */
export function lastAxes({ op, int, refuse }: VjpContext, x: Value): number[] {
  const axis = int("axis", -1);
  const rank = op.rank(x);
  const first = axis < 0 ? axis + rank : axis;
  if (first < 0 || first >= rank) throw refuse(`axis ${axis} is none of the ${rank} that "${x}" has`);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** How many elements lie along the axes: a number, or a value of x's type where that is known in the run only. */
function sizeOver(op: Builder, x: Value, axes: readonly number[]): Operand {
  const sizes = axes.map((axis) => op.dims(x)?.[axis]);
  if (sizes.every((size) => typeof size === "number")) return sizes.reduce((a, b) => a * b, 1);
  return op.cast(op.count(x, axes), op.dtype(x));
}
