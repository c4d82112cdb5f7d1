import type { Value } from "../../graph/builder.ts";
import { float32 } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Rule, type Sample, type VjpContext } from "../rule.ts";

/**
 * Activations. Where the sign of y is that of x, the mask reads y, so that x needs no keeping and the forward Conv or Gemm can
 * stay fused with its activation. At a kink the gradient is PyTorch's.
 */
export const activation = defineRules({
  // max(x, 0): 0 at 0.
  Relu: kinkedAt(0, ({ op, outputs: [y], dy }) => op.where(op.greater(y!, 0), dy, 0)),

  // x where positive, else alpha · x: alpha at 0.
  LeakyRelu: {
    kind: "kinked",
    vjp: (context) => {
      const alpha = context.float("alpha", 0.01);
      const { op, dy } = context;
      return [op.where(isPositive(context, alpha > 0), dy, op.mul(dy, alpha))];
    },
    sample: (rng) => [
      { inputs: [rng.away(0, [2, 3, 5])] },
      ...[0.2, -0.3, 0].map((alpha) => ({
        inputs: [rng.away(0, [2, 3])],
        attributes: { alpha: { float: Math.fround(alpha) } },
      })),
    ],
  },
  PRelu: {
    kind: "kinked",
    vjp: ({ op, inputs: [x, slope], dy, wants }) => {
      const positive = op.greater(x!, 0);
      return [
        wants(0) ? op.where(positive, dy, op.mul(dy, slope!)) : null,
        wants(1) ? op.where(positive, 0, op.mul(dy, x!)) : null,
      ];
    },
    sample: (rng) => [
      { inputs: [rng.away(0, [2, 3, 4, 5]), rng.normal([3, 1, 1])] },
      { inputs: [rng.away(0, [2, 3]), rng.normal([1])] },
      { inputs: [rng.away(0, [2, 3]), rng.normal([2, 3])] },
    ],
  },

  // alpha · (eˣ - 1) below 0, where the derivative is y + alpha.
  Elu: {
    kind: "kinked",
    vjp: (context) => {
      const alpha = context.float("alpha", 1);
      const { op, outputs, dy } = context;
      return [op.where(isPositive(context, alpha > 0), dy, op.mul(dy, op.add(outputs[0]!, alpha)))];
    },
    sample: (rng) => alphas(rng, 1, 0.4, -0.7),
  },
  // gamma · elu(x, alpha).
  Selu: {
    kind: "kinked",
    vjp: (context) => {
      const alpha = context.float("alpha", 1.6732631921768188);
      const gamma = context.float("gamma", 1.0507010221481323);
      const { op, outputs, dy } = context;
      const below = op.mul(dy, op.add(outputs[0]!, alpha * gamma));
      return [op.where(isPositive(context, alpha > 0 && gamma > 0), op.mul(dy, gamma), below)];
    },
    sample: (rng) => [
      { inputs: [rng.away(0, [2, 3, 5])] },
      { inputs: [rng.away(0, [2, 3])], attributes: { alpha: { float: 0.5 }, gamma: { float: 1.5 } } },
    ],
  },
  // alpha · (exp(x / alpha) - 1) below 0, where the derivative is y / alpha + 1.
  Celu: {
    kind: "kinked",
    vjp: ({ op, outputs: [y], dy, float }) => {
      const below = op.mul(dy, op.add(op.mul(y!, 1 / float("alpha", 1)), 1));
      return [op.where(op.greater(y!, 0), dy, below)];
    },
    sample: (rng) => alphas(rng, 1, 0.5, 2),
  },

  // x where it is above alpha, else 0. A negative alpha lets 0 through, which y can't tell from "cut".
  ThresholdedRelu: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], dy, float }) => [op.where(op.greater(x!, float("alpha", 1)), dy, 0)],
    sample: (rng) => [
      { inputs: [rng.away(1, [2, 3, 5])] },
      { inputs: [rng.away(-0.5, [2, 3])], attributes: { alpha: { float: -0.5 } } },
    ],
  },
  // Moved towards 0 by the bias, and 0 within ±lambd.
  Shrink: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], dy, float }) => [op.where(op.greater(op.abs(x!), float("lambd", 0.5)), dy, 0)],
    // ONNX Runtime computes it in float32 whatever the type: its rounding, over the small step of float64, shows.
    sample: (rng) => [
      { inputs: [rng.away([-0.5, 0.5], [4, 5, 5])], rtol: 3e-4 },
      {
        inputs: [rng.away([-0.75, 0.75], [4, 5, 5])],
        attributes: { lambd: { float: 0.75 }, bias: { float: 0.25 } },
        rtol: 3e-4,
      },
    ],
  },

  // log(1 + eˣ).
  Softplus: smooth(({ op, inputs: [x], dy }) => op.mul(dy, op.sigmoid(x!))),
  // x / (1 + |x|): dy / (1 + |x|)².
  Softsign: kinkedAt(0, ({ op, inputs: [x], dy }) => {
    const size = op.add(op.abs(x!), 1);
    return op.div(op.div(dy, size), size);
  }),
  Sigmoid: smooth(({ op, outputs: [y], dy }) => op.mul(dy, op.mul(y!, op.sub(1, y!)))),
  Tanh: smooth(({ op, outputs: [y], dy }) => op.mul(dy, op.sub(1, op.mul(y!, y!)))),

  // alpha · x + beta between 0 and 1; flat from the bounds on.
  HardSigmoid: {
    kind: "kinked",
    vjp: ({ op, outputs: [y], dy, float }) => {
      const between = op.and(op.greater(y!, 0), op.less(y!, 1));
      return [op.where(between, op.mul(dy, float("alpha", 0.2)), 0)];
    },
    sample: (rng) => [
      { inputs: [rng.away([-2.5, 2.5], [2, 3, 5])] },
      { inputs: [rng.away([-0.4, 0.6], [2, 5, 5], 0.15)], attributes: { alpha: { float: 1 }, beta: { float: 0.4 } } },
    ],
  },
  // x · clip(x / 6 + 1/2, 0, 1): 0 up to -3, x / 3 + 1/2 between, 1 from 3 on.
  HardSwish: {
    kind: "kinked",
    vjp: ({ op, inputs: [x], dy }) => {
      const between = op.mul(dy, op.add(op.mul(x!, 1 / 3), 0.5));
      return [op.where(op.lessOrEqual(x!, -3), 0, op.where(op.less(x!, 3), between, dy))];
    },
    sample: (rng) =>
      [rng.uniform(-2.5, 2.5, [2, 3, 5]), float32([6], [-4, 3.4, 1.2, 5, -3.2, -2.5])].map((x) => ({
        inputs: [x],
      })),
  },

  // t + x · (1 - t²) · sigmoid(x), t = tanh(softplus(x)).
  Mish: smooth(({ op, inputs: [x], dy }) => {
    const t = op.tanh(op.softplus(x!));
    const slope = op.mul(op.sub(1, op.mul(t, t)), op.mul(x!, op.sigmoid(x!)));
    return op.mul(dy, op.add(t, slope));
  }),

  Gelu: {
    kind: "smooth",
    vjp: (context) => [context.op.mul(context.dy, (isTanhForm(context) ? tanhGelu : erfGelu)(context))],
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5])], opset: 20 },
      { inputs: [rng.normal([2, 3, 5])], attributes: { approximate: "tanh" }, opset: 20 },
    ],
  },
  // y = x · s, s = sigmoid(alpha · x): s + alpha · y · (1 - s).
  Swish: {
    kind: "smooth",
    vjp: ({ op, inputs: [x], outputs: [y], dy, float }) => {
      const alpha = float("alpha", 1);
      const s = op.sigmoid(op.mul(x!, alpha));
      return [op.mul(dy, op.add(s, op.mul(op.mul(y!, alpha), op.sub(1, s))))];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5])], opset: 24 },
      { inputs: [rng.normal([2, 3, 5])], attributes: { alpha: { float: 1.5 } }, opset: 24 },
    ],
  },
});

/** Where x is above 0: told by y where the two have the same sign. */
function isPositive({ op, inputs, outputs }: VjpContext, sameSign: boolean): Value {
  return op.greater((sameSign ? outputs : inputs)[0]!, 0);
}

function isTanhForm({ string }: VjpContext): boolean {
  return string("approximate", "none") === "tanh";
}

/** y = x · Φ(x): Φ(x) + x · φ(x) = ½ + ½ · erf(x / √2) + x · exp(-x² / 2) / √(2π). */
function erfGelu({ op, inputs: [x] }: VjpContext): Value {
  const area = op.add(op.mul(op.erf(op.mul(x!, Math.SQRT1_2)), 0.5), 0.5);
  const bell = op.exp(op.mul(op.mul(x!, x!), -0.5));
  return op.add(area, op.mul(op.mul(x!, 1 / Math.sqrt(2 * Math.PI)), bell));
}

/** y = ½ x (1 + t), t = tanh(k (x + c x³)): ½ (1 + t) + ½ x (1 - t²) k (1 + 3 c x²). */
function tanhGelu({ op, inputs: [x] }: VjpContext): Value {
  const k = Math.sqrt(2 / Math.PI);
  const c = 0.044715;
  const square = op.mul(x!, x!);
  const t = op.tanh(op.mul(x!, op.add(op.mul(square, k * c), k)));
  const inner = op.mul(x!, op.add(op.mul(square, 1.5 * k * c), k / 2));
  return op.add(op.add(op.mul(t, 0.5), 0.5), op.mul(op.sub(1, op.mul(t, t)), inner));
}

function smooth(vjp: (context: VjpContext) => Value): Rule {
  return { kind: "smooth", vjp: (context) => [vjp(context)], sample: (rng) => [rng.normal([2, 3, 5])] };
}

function kinkedAt(kink: number, vjp: (context: VjpContext) => Value): Rule {
  return { kind: "kinked", vjp: (context) => [vjp(context)], sample: (rng) => [rng.away(kink, [2, 3, 5])] };
}

/** The default and other values of alpha. */
function alphas(rng: Rng, ...values: number[]): Sample[] {
  const given = values.map((alpha) => ({
    inputs: [rng.away(0, [2, 3, 5])],
    attributes: { alpha: { float: Math.fround(alpha) } },
  }));
  return [{ inputs: [rng.away(0, [2, 3, 5])] }, ...given];
}
