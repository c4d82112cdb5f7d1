import { expect, test } from "vitest";
import { float32 } from "../tensor.ts";
import { predictionsOf } from "./predictions.ts";

test("softmax by hand, the second sample of a batch, best first", () => {
  const logits = float32([2, 3], [9, 9, 9, 0, Math.log(2), Math.log(5)]); // e^x: 1, 2, 5 of 8
  const found = predictionsOf(logits, 1, 1, "softmax", ["a", "b"]);
  expect(found.map(({ class: index, label }) => [index, label])).toEqual([
    [2, undefined],
    [1, "b"],
    [0, "a"],
  ]);
  [5 / 8, 2 / 8, 1 / 8].forEach((p, i) => {
    expect(found[i]!.probability).toBeCloseTo(p, 6);
  });
});

test("scores that would overflow stay finite", () => {
  expect(predictionsOf(float32([1, 2], [1000, 0]), 1, 0, "softmax", [])[0]!.probability).toBe(1);
});

test("one column speaks for class 1 and against it for class 0", () => {
  const found = predictionsOf(float32([1, 1], [-Math.log(3)]), 1, 0, "sigmoid", ["no", "yes"]); // sigmoid: 1/4
  expect(found.map(({ label }) => label)).toEqual(["no", "yes"]);
  expect(found[0]!.probability).toBeCloseTo(0.75, 6);
  expect(found[0]!.score).toBeCloseTo(Math.log(3), 6);
});

test("pooled axes of one position are no space; others leave no single answer", () => {
  expect(predictionsOf(float32([1, 2, 1, 1], [1, 2]), 1, 0, undefined, [])[0]).toEqual({ class: 1, score: 2 });
  expect(predictionsOf(float32([1, 2, 1, 2], [1, 2, 3, 4]), 1, 0, undefined, [])).toEqual([]);
  expect(predictionsOf(float32([1, 2, 1], [1, 2]), 2, 0, "sigmoid", [])).toEqual([]); // two positions, one class
});

test("probabilities that the graph gives itself are taken as they are; without an activation there are none", () => {
  const logits = float32([1, 2], [0.25, 0.75]);
  expect(predictionsOf(logits, 1, 0, "identity", [])[0]).toEqual({ class: 1, score: 0.75, probability: 0.75 });
  expect(predictionsOf(logits, 1, 0, undefined, [])[0]).not.toHaveProperty("probability");
});
