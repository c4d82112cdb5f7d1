import { float32 } from "@camkit/cam-core";
import { checkVjp, type Rule, type Sample } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { fastRules } from "./fast-rules.ts";

const pool = (shape: readonly number[], kernel: readonly number[]): Rule["sample"] => {
  return (rng) => ({ inputs: [rng.distinct(shape)], attributes: { kernel_shape: kernel, strides: kernel } });
};

// Bounds away from all samples; what bounds themselves would get is the usual rule's affair.
const between: Rule["sample"] = (rng): Sample => ({
  inputs: [rng.away(0, [2, 3, 5]), float32([], [-0.001]), float32([], [6])],
  wrt: [0],
});

const samples: readonly [string, Rule["sample"] | undefined][] = [
  ["Relu", undefined],
  ["Clip", between],
  ["MaxPool", undefined],
  ["MaxPool", pool([2, 3, 7, 5], [2, 2])],
  ["MaxPool", pool([2, 3, 6, 9], [2, 3])],
  ["MaxPool", pool([1, 2, 4, 5, 4], [2, 2, 2])],
];

test.each(samples)("%s: the fast rule is the derivative", async (opType, sample) => {
  const rule: Rule = { ...fastRules[opType]!, ...(sample ? { sample } : {}) };
  await checkVjp(opType, { seed: 1, rule });
  await expect(checkVjp(opType, { seed: 1, rule, scaleGradient: 1.001 })).rejects.toThrow(/projection differs/);
});
