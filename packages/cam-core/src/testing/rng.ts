import { bool, float32, int64, sizeOf, type Tensor } from "../tensor.ts";

/** Seeded random tensors (float32 unless named otherwise) for samples and property tests. */
export type Rng = {
  /** Uniform in [0, 1). */
  next(): number;
  normal(shape: readonly number[]): Tensor;
  uniform(low: number, high: number, shape: readonly number[]): Tensor;
  /** Normal values that keep at least `gap` (default 0.25) away from each of the points where a function has a kink. */
  away(from: number | readonly number[], shape: readonly number[], gap?: number): Tensor;
  /** Values that all differ from each other by at least `gap` (default 0.25), shuffled: no ties near a maximum. */
  distinct(shape: readonly number[], gap?: number): Tensor;
  int(below: number): number;
  ints(below: number, shape: readonly number[]): Tensor;
  bools(shape: readonly number[]): Tensor;
};

/** mulberry32: 32 bits of state, the same sequence on every machine. */
export function rng(seed: number): Rng {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const fill = (shape: readonly number[], draw: () => number) =>
    float32(shape, Array.from({ length: sizeOf(shape) }, draw));
  const int = (below: number) => Math.floor(next() * below);
  return {
    next,
    int,
    normal: (shape) => fill(shape, gauss),
    uniform: (low, high, shape) => fill(shape, () => low + (high - low) * next()),
    away: (from, shape, gap = 0.25) => {
      const kinks = typeof from === "number" ? [from] : from;
      return fill(shape, () => {
        for (;;) {
          const value = gauss();
          if (kinks.every((kink) => Math.abs(value - kink) >= gap)) return value;
        }
      });
    },
    distinct: (shape, gap = 0.25) => {
      const size = sizeOf(shape);
      const values = Array.from({ length: size }, (_, i) => (i - size / 2) * gap * 1.5 + (next() - 0.5) * gap * 0.5);
      for (let i = size - 1; i > 0; i--) {
        const j = int(i + 1);
        [values[i], values[j]] = [values[j]!, values[i]!];
      }
      return float32(shape, values);
    },
    ints: (below, shape) =>
      int64(
        shape,
        Array.from({ length: sizeOf(shape) }, () => int(below)),
      ),
    bools: (shape) =>
      bool(
        shape,
        Array.from({ length: sizeOf(shape) }, () => next() < 0.5),
      ),
  };
}
