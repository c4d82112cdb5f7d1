import { expect, test } from "vitest";
import { smooth, thin } from "./series.ts";
import type { Point } from "./svg.ts";

test("thinning keeps peaks and order, and drops what isn't finite", () => {
  const points = Array.from(
    { length: 100_000 },
    (_, i): Point => [i, i === 31_415 ? 9 : i === 70_000 ? -9 : Math.sin(i)],
  );
  const thinned = thin(points, 500);
  expect(thinned.length).toBeLessThanOrEqual(1000);
  expect(thinned).toContainEqual([31_415, 9]);
  expect(thinned).toContainEqual([70_000, -9]);
  expect(thinned.every(([x], i) => i === 0 || x > thinned[i - 1]![0])).toBe(true);
  expect(
    thin(
      [
        [0, 1],
        [1, Number.NaN],
        [2, 3],
      ],
      500,
    ),
  ).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test("smoothing keeps a constant and a line, and follows without lag", () => {
  const line = Array.from({ length: 201 }, (_, i): Point => [i, 2 * i + 1]);
  for (const [x, y] of smooth(line, 5, 101).slice(15, -15)) expect(y).toBeCloseTo(2 * x + 1, 6);
  for (const [, y] of smooth(
    line.map(([x]) => [x, 7] as const),
    5,
    50,
  ))
    expect(y).toBeCloseTo(7, 12);
  // by hand: points 0 and 1 at distance one width of 1: (0 · 1 + 1 · e^−½ + 0 · e^−2) / (1 + e^−½ + e^−2) at x = 0
  const [[, first]] = smooth(
    [
      [0, 0],
      [1, 1],
      [2, 0],
    ],
    1,
    3,
  ) as [Point];
  expect(first).toBeCloseTo(Math.exp(-0.5) / (1 + Math.exp(-0.5) + Math.exp(-2)), 12);
});

test("noise becomes smaller by the number of points in the window", () => {
  const noisy = Array.from({ length: 2000 }, (_, i): Point => [i, i % 2 === 0 ? 1 : -1]);
  for (const [, y] of smooth(noisy, 20, 200).slice(10, -10)) expect(Math.abs(y)).toBeLessThan(1e-3);
});
