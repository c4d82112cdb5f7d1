import { expect, test } from "vitest";
import { alphaGradient, architectureOf, drawPath, firstAlpha, likeliest, softmax, updateAlpha } from "./alpha.ts";

const cells = { a: ["one", "two", "three"], b: ["one", "two"] };

test("Adam's steps are PyTorch's", () => {
  const alpha = { values: { a: [0.1, -0.2, 0.3] }, mean: { a: [0, 0, 0] }, square: { a: [0, 0, 0] }, updates: 0 };
  // torch 2.13, float64: Adam(lr=0.05, betas=(0.5, 0.999), weight_decay=0.1) on these gradients.
  const steps: [number[], number[]][] = [
    [
      [1, -2, 0.5],
      [0.05000000049504951, -0.15000000024752477, 0.2500000009433962],
    ],
    [
      [0.2, 0.1, -3],
      [0.01751638769621424, -0.12842711564180315, 0.2922658360959991],
    ],
    [
      [0, 0, 1e-6],
      [0.0003776498287193092, -0.11678660425107008, 0.313976660836826],
    ],
  ];
  for (const [a, expected] of steps) {
    updateAlpha(alpha, { a }, { rate: 0.05, betas: [0.5, 0.999], decay: 0.1 });
    for (const [i, value] of expected.entries()) expect(Math.abs(alpha.values.a[i]! - value)).toBeLessThan(1e-14);
  }
});

test("α's gradient is that of the loss with the chosen op's share taken as 1 + p - p₀", () => {
  const [values, noise, temperature, chosen, slope] = [[0.3, -0.4, 0.1], [0.9, 0.2, -0.5], 0.7, 0, 1.7];
  const shares = (alpha: readonly number[]) => softmax(alpha.map((value, i) => (value + noise[i]!) / temperature));
  const before = shares(values)[chosen]!;
  // A loss whose slope in the share is 1.7 at 1, and which is curved.
  const loss = (alpha: readonly number[]) => {
    const share = 1 + shares(alpha)[chosen]! - before;
    return slope * share + 0.8 * (share - 1) ** 2;
  };
  const found = alphaGradient({ chosen, probabilities: shares(values) }, slope, temperature);
  const h = 1e-5;
  for (const i of [0, 1, 2]) {
    const moved = (by: number) => loss(values.map((value, j) => (i === j ? value + by : value)));
    expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - found[i]!)).toBeLessThan(1e-9);
  }
  // Moving all alike changes no share.
  expect(Math.abs(found.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-12);
});

test("ops are drawn as often as softmax α says, whatever the temperature", () => {
  const alpha = { ...firstAlpha(cells, 1), values: { a: [1, 0, -1], b: [0, 0.5] } };
  for (const temperature of [1, 0.3]) {
    const counts = [0, 0, 0];
    for (let step = 0; step < 4000; step++) counts[drawPath(alpha, temperature, 7, step).a!.chosen]!++;
    // e, 1, 1/e over their sum 4.0862: 0.6652, 0.2447, 0.0900; four standard deviations of 4000 draws.
    for (const [i, p] of [0.6652, 0.2447, 0.09].entries())
      expect(Math.abs(counts[i]! / 4000 - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 4000));
  }
});

test("equal keys draw equal paths, other steps others; α begins small", () => {
  const alpha = firstAlpha(cells, 3);
  expect(firstAlpha(cells, 3)).toEqual(alpha);
  expect(firstAlpha(cells, 4)).not.toEqual(alpha);
  expect(Math.max(...alpha.values.a!.map(Math.abs))).toBeLessThan(5e-3);
  expect(drawPath(alpha, 1, 3, "alpha", 5)).toEqual(drawPath(alpha, 1, 3, "alpha", 5));
  const drawn = Array.from({ length: 20 }, (_, step) => drawPath(alpha, 1, 3, "alpha", step).a!.chosen);
  expect(new Set(drawn).size).toBe(3);
  expect(architectureOf(cells, () => 1)).toEqual({ a: "two", b: "two" });
  expect(likeliest(cells, { ...alpha, values: { a: [0, 0, 1], b: [2, 0] } })).toEqual({ a: "three", b: "one" });
});
