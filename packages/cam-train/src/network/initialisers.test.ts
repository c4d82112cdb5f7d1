import { expect, test } from "vitest";
import { type Init, initialValues } from "./initialisers.ts";

// weight [out 64, in 32, 3, 3]: fanIn = 288, fanOut = 576
const shape = [64, 32, 3, 3];

/** Mean, deviation and largest magnitude of 18,432 values. */
const measured = (init: Init) => {
  const values = initialValues(init, shape, 1, "conv.weight");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square), largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
};

// A uniform distribution in ±b has deviation b / √3; a normal one cut at ±2 has 0.8796 of its own (1 - 4·φ(2) / (2·Φ(2) - 1), rooted).
test.each<[string, Init, number, number]>([
  ["pytorch", "pytorch", 1 / Math.sqrt(288) / Math.sqrt(3), 1 / Math.sqrt(288)],
  ["kaiming-normal", "kaiming-normal", Math.sqrt(2 / 576), Number.POSITIVE_INFINITY],
  ["glorot-uniform", "glorot-uniform", Math.sqrt(6 / 864) / Math.sqrt(3), Math.sqrt(6 / 864)],
  ["normal", { normal: 0.5 }, 0.5, Number.POSITIVE_INFINITY],
  ["truncated normal", { truncatedNormal: 0.02 }, 0.02 * 0.8796, 0.04],
])("%s has the width of its formula", (_, init, deviation, bound) => {
  const found = measured(init);
  // Standard errors at 18,432 values: of the mean 0.7 % of a deviation, of the deviation 0.5 %. Four of each.
  expect(Math.abs(found.mean) / deviation).toBeLessThan(0.03);
  expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.021);
  expect(found.largest).toBeLessThanOrEqual(bound);
});

test("values depend on the seed and the name alone", () => {
  const values = (seed: number, name: string) => initialValues("pytorch", [8], seed, name).join();
  expect(values(1, "a.weight")).toBe(values(1, "a.weight"));
  expect(values(1, "a.weight")).not.toBe(values(2, "a.weight"));
  expect(values(1, "a.weight")).not.toBe(values(1, "b.weight"));
});

test("identity hands channels on, whatever the kernel", () => {
  // [out 3, in 2, 1, 3]: the middle of three taps
  expect([...initialValues("identity", [3, 2, 1, 3], 1, "w")]).toEqual([
    0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
  ]);
  expect([...initialValues("identity", [2, 2], 1, "w")]).toEqual([1, 0, 0, 1]);
});
