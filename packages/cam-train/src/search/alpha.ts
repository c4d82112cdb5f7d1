import type { Rng } from "@camkit/cam-core";
import { keyed } from "../random.ts";
import type { Architecture } from "./space.ts";

/** α: one number for each op of each cell, and what Adam remembers of its gradients. Plain numbers, float64. */
export type Alpha = {
  readonly values: Record<string, number[]>;
  readonly mean: Record<string, number[]>;
  readonly square: Record<string, number[]>;
  /** Updates so far. */
  updates: number;
};

type Cells = Readonly<Record<string, readonly string[]>>;

/** α = 1e-3 · N(0, 1). */
export function firstAlpha(cells: Cells, seed: number): Alpha {
  const each = (make: (cell: string) => number[]) =>
    Object.fromEntries(Object.keys(cells).map((cell) => [cell, make(cell)]));
  const zeros = (cell: string) => cells[cell]!.map(() => 0);
  return {
    values: each((cell) => {
      const rng = keyed(seed, "alpha", cell);
      return cells[cell]!.map(() => 1e-3 * normal(rng));
    }),
    mean: each(zeros),
    square: each(zeros),
    updates: 0,
  };
}

/** What was drawn for one cell: the op, and p. */
export type Drawn = { readonly chosen: number; readonly probabilities: readonly number[] };

/**
 * One path: g = -log(-log u), p = softmax((α + g) / τ), and of each cell the op with the largest p alone.
 * Source: Jang et al. 2017, arXiv:1611.01144, eq. 1 and 2, and its straight-through form.
 */
export function drawPath(alpha: Alpha, temperature: number, seed: number, ...keys: readonly (string | number)[]) {
  return Object.fromEntries(
    Object.entries(alpha.values).map(([cell, values]): [string, Drawn] => {
      const rng = keyed(seed, "gumbel", cell, ...keys);
      // 1 - unit() is never 0; where it is 1 the logarithm is 0, and the noise as large as it gets.
      const scores = values.map(
        (value) => (value - Math.log(-Math.log(1 - rng.unit()) || Number.MIN_VALUE)) / temperature,
      );
      return [cell, { chosen: largest(scores), probabilities: softmax(scores) }];
    }),
  );
}

/** The architecture of a path, or, from α itself, of the likeliest one. */
export function architectureOf(cells: Cells, chosen: (cell: string) => number): Architecture {
  return Object.fromEntries(Object.entries(cells).map(([cell, ops]) => [cell, ops[chosen(cell)]!]));
}

export function likeliest(cells: Cells, { values }: Alpha): Architecture {
  return architectureOf(cells, (cell) => largest(values[cell]!));
}

/**
 * dL / dα of one cell, of whose ops one was run. Differentiated is what the step computes with the op's share taken as
 * 1 + p[j] - p₀[j], p₀ being p as it is: the straight-through estimator, on which all other shares, whose ops weren't run, are 0.
 *
 *   out = x + (1 + p[j] - p₀[j]) · op[j](x)        s = dL / dp[j] = <dL / d out, op[j](x)>
 *   dL / dα[i] = s · p[j] · (δ[i, j] - p[i]) / τ
 */
export function alphaGradient({ chosen, probabilities }: Drawn, share: number, temperature: number): number[] {
  const slope = (share * probabilities[chosen]!) / temperature;
  return probabilities.map((p, i) => slope * ((i === chosen ? 1 : 0) - p));
}

export type AlphaUpdate = { readonly rate: number; readonly betas: readonly [number, number]; readonly decay: number };

/** Adam with weight decay in the gradient (`optimisers/adam.ts`), in float64 on a few numbers. Changes α. */
export function updateAlpha(
  alpha: Alpha,
  gradients: Readonly<Record<string, readonly number[]>>,
  { rate, betas: [first, second], decay }: AlphaUpdate,
): void {
  const t = ++alpha.updates;
  for (const [cell, values] of Object.entries(alpha.values)) {
    const [mean, square] = [alpha.mean[cell]!, alpha.square[cell]!];
    values.forEach((value, i) => {
      const g = gradients[cell]![i]! + decay * value;
      mean[i] = first * mean[i]! + (1 - first) * g;
      square[i] = second * square[i]! + (1 - second) * g * g;
      const size = Math.sqrt(square[i]! / (1 - second ** t)) + 1e-8;
      values[i] = value - (rate * (mean[i]! / (1 - first ** t))) / size;
    });
  }
}

function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

export function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Source: Box and Muller 1958. */
function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.unit())) * Math.cos(2 * Math.PI * rng.unit());
}
