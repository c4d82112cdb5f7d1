import { expect, test } from "vitest";
import { tinyModel } from "../testing/tiny-models.ts";
import { Builder, type Value } from "./builder.ts";
import type { Shape } from "./graph.ts";
import { leastMemory } from "./memory.ts";

function bytes(
  shape: Shape,
  build: (op: Builder, x: Value) => Value,
  sizes: Readonly<Record<string, number>> = {},
): number {
  const { graph } = tinyModel({ x: shape }, (op, { x }) => ({ y: build(op, x!) }));
  graph.types = new Builder(graph).facts.types;
  return leastMemory(graph)(new Map(Object.entries(sizes)));
}

test("what is alive at each node, at its worst", () => {
  // x (24) stays, exp (24) and its square (24) are never there with more than one of them once the square is made; y (24) is the
  // square under another name, which takes no memory of its own.
  expect(bytes([2, 3], (op, x) => op.mul(op.exp(x), 2))).toBe(48);
  // exp is read again later: x, exp and the negated one, then their sum in place of both.
  expect(
    bytes([2, 3], (op, x) => {
      const e = op.exp(x);
      return op.add(op.neg(op.sqrt(e)), e);
    }),
  ).toBe(72);
  // Four times as much on the way, and beside it the sum that is made of it.
  expect(bytes([2, 3], (op, x) => op.reduceSum(op.exp(op.concat([x, x, x, x], 0)), { axes: [0] }))).toBe(24 + 96 + 12);
});

test("a view keeps what it looks at", () => {
  // x, what is looked at to the end, and one transpose of it at a time, beside the one it is made of.
  const turned = (op: Builder, x: Value) => op.transpose(x, [1, 0]);
  expect(
    bytes([2, 3], (op, x) => {
      const seen = op.reshape(turned(op, x), [2, 3]);
      return op.add(turned(op, turned(op, turned(op, turned(op, x)))), seen);
    }),
  ).toBe(24 * 4);
});

test("open sizes are those of the run, and 1 where nobody says them", () => {
  const twice = (op: Builder, x: Value) => op.concat([x, x], 0);
  expect(bytes(["n", 3], twice)).toBe(12 + 24);
  expect(bytes(["n", 3], twice, { n: 1000 })).toBe(12_000 + 24_000);
  expect(bytes([null, 3], twice)).toBe(12 + 12);
});
