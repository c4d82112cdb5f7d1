import { expect, test } from "vitest";
import { descendingOrder, randomOrder, tiedShare } from "./order.ts";

test("the greatest first, ties by index, zeros of both signs equal", () => {
  const values = Float32Array.of(0.5, -2, 3, 0.5, -0, 0, -1e-30, 1e30);
  expect([...descendingOrder(values)]).toEqual([7, 2, 0, 3, 4, 5, 6, 1]);
});

test("as a stable comparison sorts, also over many digits", () => {
  const values = Float32Array.from({ length: 70_000 }, (_, i) =>
    Math.fround(Math.sin(i * 1.7) * 10 ** ((i % 60) - 30)),
  );
  const expected = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  expect([...descendingOrder(values)]).toEqual(expected);
});

test("a random order is a permutation, the seed's own", () => {
  const order = randomOrder(1000, 7);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect([...randomOrder(1000, 7)]).toEqual([...order]);
  expect([...randomOrder(1000, 8)]).not.toEqual([...order]);
});

test("the share of positions in ties larger than a step", () => {
  const values = Float32Array.of(1, 0, 2, 0, 0, 2, 3);
  const order = descendingOrder(values);
  expect(tiedShare(values, order, 1)).toBeCloseTo(5 / 7, 12);
  expect(tiedShare(values, order, 2)).toBeCloseTo(3 / 7, 12);
  expect(tiedShare(values, order, 3)).toBe(0);
});
