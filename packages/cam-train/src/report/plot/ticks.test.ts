import { expect, test } from "vitest";
import { niceRange, tickLabel, ticks } from "./ticks.ts";

test("marks lie inside, at round numbers", () => {
  expect(ticks(0, 1, 5).values.map((v) => tickLabel(v, 0.2))).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  expect(ticks(0.913, 0.947, 4).values.map((v) => tickLabel(v, 0.01))).toEqual(["0.92", "0.93", "0.94"]);
  expect(ticks(0, 15_640, 6).values).toEqual([0, 5000, 10_000, 15_000]);
  expect(ticks(0, 3, 8, true).values).toEqual([0, 1, 2, 3]);
  expect(ticks(-3, 7, 4).values).toEqual([0, 5]);
});

test("a range ends on marks and reaches zero when it is near", () => {
  expect(niceRange(0.08, 0.71, 5)).toEqual([0, 0.8]);
  const [low, high] = niceRange(0.913, 0.947, 4);
  expect(low).toBeCloseTo(0.91, 12);
  expect(high).toBeCloseTo(0.95, 12);
  expect(niceRange(0.5, 0.5, 4)[0]).toBeLessThan(0.5);
  expect(niceRange(0, 0, 4)[1]).toBeGreaterThan(0);
  expect(niceRange(-2, 5, 4)[0]).toBeLessThanOrEqual(-2);
});

test.each([
  [0.25, 0.05, "0.25"],
  [12_000, 1000, "12,000"],
  [1_500_000, 500_000, "1,500,000"],
  [5e-5, 1e-5, "5e-5"],
  [1.5e-4, 5e-5, "1.5e-4"],
  [0.0005, 0.0005, "0.0005"],
  [-0.5, 0.5, "-0.5"],
  [0.30000000000000004, 0.1, "0.3"],
])("%f in steps of %f reads %s", (value, step, text) => expect(tickLabel(value, step)).toBe(text));
