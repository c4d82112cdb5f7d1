import { expect, test } from "vitest";
import { keyed } from "./random.ts";

const first = (...keys: (string | number)[]) => keyed(7, ...keys).uint32();

test("equal keys give equal numbers, others don't", () => {
  expect(first("augment", 3, 12)).toBe(first("augment", 3, 12));
  const seen = new Set<number>();
  for (let epoch = 0; epoch < 20; epoch++)
    for (let index = 0; index < 500; index++) seen.add(first("augment", epoch, index));
  // 10,000 draws of 32 bits: 0.01 collisions are expected.
  expect(seen.size).toBe(10_000);
  expect(first("ab", "c")).not.toBe(first("a", "bc"));
  expect(first("12")).not.toBe(first(12));
  expect(keyed(2 ** 40).uint32()).not.toBe(keyed(0).uint32());
});

test("neighbouring keys are independent", () => {
  // Mean and correlation of 4000 neighbours: within 4 standard errors (1 / sqrt(12 · 4000) = 0.0046; 1 / sqrt(4000) = 0.016).
  const drawn = Array.from({ length: 4001 }, (_, index) => keyed(1, "shuffle", index).unit() - 0.5);
  expect(Math.abs(drawn.reduce((sum, value) => sum + value, 0) / drawn.length)).toBeLessThan(0.018);
  const product = drawn.slice(1).reduce((sum, value, i) => sum + value * drawn[i]!, 0) / 4000;
  expect(Math.abs(product * 12)).toBeLessThan(0.064);
});
