import { float32, int64 } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Rule, type Sample, type VjpContext, zero } from "../rule.ts";
import { unbroadcast } from "../unbroadcast.ts";
import { choice } from "./choice.ts";

/** Element-wise arithmetic and functions. dy has the broadcast shape; the sweep sums it back to each input's. */
export const elementwise = defineRules({
  Add: { kind: "linear", vjp: ({ dy }) => [dy, dy], sample: broadcastPairs },

  // Turned round after the sum: a bias is smaller than dy.
  Sub: {
    kind: "linear",
    vjp: ({ op, inputs: [, b], dy, wants }) => [dy, wants(1) ? op.neg(unbroadcast(op, dy, b!)) : null],
    sample: broadcastPairs,
  },

  Mul: {
    kind: "linear", // in each input: a central difference is exact
    vjp: ({ op, inputs: [a, b], dy, wants }) => [wants(0) ? op.mul(dy, b!) : null, wants(1) ? op.mul(dy, a!) : null],
    sample: broadcastPairs,
  },

  // y = a / b: db = -dy · a / b² = -(dy / b) · y.
  Div: {
    kind: "smooth",
    vjp: ({ op, inputs: [, b], outputs: [y], dy, wants }) => {
      const da = op.div(dy, b!);
      return [da, wants(1) ? op.neg(unbroadcast(op, op.mul(da, y!), b!)) : null];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3]), rng.uniform(0.5, 2, [2, 3])] },
      { inputs: [rng.normal([2, 3, 5]), rng.uniform(-2, -0.5, [3, 1])] },
      { inputs: [rng.normal([3]), rng.uniform(0.5, 2, [2, 1])] },
      { inputs: [rng.normal([2, 3]), rng.uniform(0.5, 2, [])] },
    ],
  },

  Pow: {
    kind: "smooth",
    vjp: (context) => [context.wants(0) ? ofBase(context) : null, context.wants(1) ? ofExponent(context) : null],
    sample: (rng) => {
      const whole = int64([], [3]);
      const constant = (exponent: number) => float32([], [exponent]);
      return [
        { inputs: [rng.uniform(0.5, 2, [2, 3]), rng.uniform(-2, 3, [2, 3])] },
        { inputs: [rng.uniform(0.5, 2, [2, 1]), rng.uniform(0.5, 2, [3])] },
        { inputs: [rng.away(0, [2, 3]), whole] },
        ...[2, 0.5, -1, 1].map((exponent) => ({
          inputs: [rng.uniform(0.5, 2, [2, 3]), constant(exponent)],
          constants: [1],
        })),
      ];
    },
  },

  // y = a - n b with a whole n (of the floor or of the truncation): dy/db = -n = (y - a) / b, rounding mended.
  Mod: {
    kind: "kinked",
    vjp: ({ op, inputs: [a, b], outputs: [y], dy, wants }) => [
      dy,
      wants(1) ? op.mul(dy, op.round(op.div(op.sub(y!, a!), b!))) : null,
    ],
    sample: () => {
      const a = float32([6], [5.3, -3.4, 7.1, -8.2, 4.6, 9.7]);
      const b = float32([6], [2, 1.5, -3, -1.5, 1.25, 4]);
      const column = float32([2, 1], [1.75, -2.2]);
      return [
        { inputs: [a, b], attributes: { fmod: 1 } },
        { inputs: [a, column], attributes: { fmod: 1 } },
      ];
    },
  },

  Sum: {
    kind: "linear",
    vjp: ({ inputs, dy }) => inputs.map(() => dy),
    sample: (rng) => [
      { inputs: [rng.normal([2, 3])] },
      { inputs: [rng.normal([2, 3]), rng.normal([3]), rng.normal([2, 1])] },
    ],
  },
  Mean: {
    kind: "linear",
    vjp: ({ op, inputs, dy }) => {
      const share = op.mul(dy, 1 / inputs.length);
      return inputs.map(() => share);
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 3])] },
      { inputs: [rng.normal([2, 3]), rng.normal([3]), rng.normal([2, 1])] },
    ],
  },

  Neg: unary("linear", ({ op, dy }) => op.neg(dy)),
  // Sign is 0 at 0.
  Abs: unary("kinked", ({ op, inputs: [x], dy }) => op.mul(dy, op.sign(x!)), { away: 0 }),
  Sqrt: unary("smooth", ({ op, outputs: [y], dy }) => op.div(op.mul(dy, 0.5), y!), { from: 0.5, to: 3 }),
  // y = 1 / x: -dy · y².
  Reciprocal: unary("smooth", ({ op, outputs: [y], dy }) => op.neg(op.mul(op.mul(dy, y!), y!)), { from: 0.5, to: 3 }),
  Exp: unary("smooth", ({ op, outputs: [y], dy }) => op.mul(dy, y!)),
  Log: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, x!), { from: 0.5, to: 3 }),
  // 2 / √π · exp(-x²).
  Erf: unary("smooth", ({ op, inputs: [x], dy }) =>
    op.mul(dy, op.mul(op.exp(op.neg(op.mul(x!, x!))), 2 / Math.sqrt(Math.PI))),
  ),

  Sin: unary("smooth", ({ op, inputs: [x], dy }) => op.mul(dy, op.cos(x!))),
  Cos: unary("smooth", ({ op, inputs: [x], dy }) => op.neg(op.mul(dy, op.sin(x!)))),
  Tan: unary("smooth", ({ op, outputs: [y], dy }) => op.mul(dy, op.add(op.mul(y!, y!), 1)), { from: -1, to: 1 }),
  Asin: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, op.sqrt(op.sub(1, op.mul(x!, x!)))), {
    from: -0.8,
    to: 0.8,
  }),
  Acos: unary("smooth", ({ op, inputs: [x], dy }) => op.neg(op.div(dy, op.sqrt(op.sub(1, op.mul(x!, x!))))), {
    from: -0.8,
    to: 0.8,
  }),
  Atan: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, op.add(op.mul(x!, x!), 1))),
  Sinh: unary("smooth", ({ op, inputs: [x], dy }) => op.mul(dy, op.node("Cosh", [x])[0]!)),
  Cosh: unary("smooth", ({ op, inputs: [x], dy }) => op.mul(dy, op.node("Sinh", [x])[0]!)),
  Asinh: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, op.sqrt(op.add(op.mul(x!, x!), 1)))),
  Acosh: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, op.sqrt(op.sub(op.mul(x!, x!), 1))), {
    from: 1.5,
    to: 3,
  }),
  Atanh: unary("smooth", ({ op, inputs: [x], dy }) => op.div(dy, op.sub(1, op.mul(x!, x!))), { from: -0.8, to: 0.8 }),

  ...choice,

  Sign: zero("a step function"),
  Floor: zero("a step function"),
  Ceil: zero("a step function"),
  Round: zero("a step function"),
  Equal: zero("a comparison"),
  Greater: zero("a comparison"),
  GreaterOrEqual: zero("a comparison"),
  Less: zero("a comparison"),
  LessOrEqual: zero("a comparison"),
  IsNaN: zero("a comparison"),
  IsInf: zero("a comparison"),
  Not: zero("logic"),
  And: zero("logic"),
  Or: zero("logic"),
  Xor: zero("logic"),
  BitShift: zero("arithmetic on bits"),
  BitwiseAnd: zero("arithmetic on bits"),
  BitwiseOr: zero("arithmetic on bits"),
  BitwiseXor: zero("arithmetic on bits"),
  BitwiseNot: zero("arithmetic on bits"),
});

/** A rule with one input and one output, sampled over an interval or away from a kink; else over normal values. */
function unary(
  kind: Rule["kind"],
  vjp: (context: VjpContext) => string,
  points: { from: number; to: number } | { away: number } | undefined = undefined,
): Rule {
  return {
    kind,
    vjp: (context) => [vjp(context)],
    sample: (rng) => {
      if (!points) return [rng.normal([2, 3, 5])];
      return ["away" in points ? rng.away(points.away, [2, 3, 5]) : rng.uniform(points.from, points.to, [2, 3, 5])];
    },
  };
}

/** Equal shapes, and each side broadcast: along the batch, by rank, along both, a scalar. */
function broadcastPairs(rng: Rng): Sample[] {
  const pairs: [number[], number[]][] = [
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 3],
      [1, 3],
    ],
    [
      [2, 3, 5],
      [3, 1],
    ],
    [[5], [2, 3, 1]],
    [[], [2, 3]],
  ];
  return pairs.map(([a, b]) => ({ inputs: [rng.normal(a), rng.normal(b)] }));
}

/**
 * d(x^p)/dx = p · x^(p-1), and 0 where p = 0 (at x = 0, too). The exponents that norms and decomposed activations use need
 * no power. What is masked, here and below, is kept finite beneath the mask, for the second derivative's sake.
 */
function ofBase({ op, inputs: [x, p], outputs: [y], dy }: VjpContext): string {
  const known = op.integers(p!);
  const constant = known?.length === 1 ? known[0] : undefined;
  if (constant === 1) return dy;
  if (constant === 2) return op.mul(op.mul(dy, 2), x!);
  if (constant === 0.5) return op.div(op.mul(dy, 0.5), y!);
  if (constant !== undefined && constant !== 0) return op.mul(op.mul(dy, constant), op.pow(x!, constant - 1));
  const exponent = op.cast(p!, op.dtype(x!));
  const flat = op.equal(exponent, 0);
  return op.where(flat, 0, op.mul(op.mul(dy, exponent), op.pow(op.where(flat, 1, x!), op.sub(exponent, 1))));
}

/** d(x^p)/dp = x^p · log x, and 0 where x = 0 and p ≥ 0, as in PyTorch. */
function ofExponent({ op, inputs: [x, p], outputs: [y], dy }: VjpContext): string {
  const flat = op.and(op.equal(x!, 0), op.greaterOrEqual(p!, 0));
  return op.where(flat, 0, op.mul(op.mul(dy, y!), op.log(op.where(flat, 1, x!))));
}
