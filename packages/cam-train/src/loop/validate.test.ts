import { expect, test } from "vitest";
import { isBetter } from "./validate.ts";

const at = (value: number, loss = 1) => ({ value, loss });

test("better is what the watched metric says, and the lower loss of equals", () => {
  expect(isBetter("accuracy", at(0.9), undefined)).toBe(true);
  expect(isBetter("accuracy", at(0.9), at(0.8))).toBe(true);
  expect(isBetter("accuracy", at(0.8), at(0.9))).toBe(false);
  expect(isBetter("brier", at(0.1), at(0.2))).toBe(true);
  expect(isBetter("loss", at(0.1, 0.1), at(0.2, 0.2))).toBe(true);
  expect(isBetter(undefined, at(0.3, 0.3), at(0.2, 0.2))).toBe(false);
  // Of two epochs that get everything right, the surer one.
  expect(isBetter("accuracy", at(1, 0.01), at(1, 0.5))).toBe(true);
  expect(isBetter("accuracy", at(1, 0.5), at(1, 0.01))).toBe(false);
  expect(isBetter("accuracy", at(1), at(1))).toBe(false);
});

test("what couldn't be measured is worse than anything", () => {
  expect(isBetter("auc", at(0.2), at(Number.NaN))).toBe(true);
  expect(isBetter("auc", at(Number.NaN), at(0.2))).toBe(false);
  expect(isBetter("auc", at(Number.NaN), at(Number.NaN))).toBe(false);
});
