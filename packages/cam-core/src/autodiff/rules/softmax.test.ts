import { describe, expect, test } from "vitest";
import { float32, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const infinity = Number.POSITIVE_INFINITY;
const rounded = (tensor: Tensor | undefined) =>
  Array.from(tensor!.data as Float32Array, (value) => Number(value.toFixed(5)) + 0);

describe.each(["Softmax", "LogSoftmax"])("%s", (opType) => {
  test("-infinity beside finite logits gives and gets nothing; a row of nothing else stays alone in its NaN", async () => {
    const x = float32([2, 3], [0, -infinity, 0, -infinity, -infinity, -infinity]);
    const { dx } = await vjpAt(opType, { inputs: [x] }, { cotangent: float32([2, 3], [1, 0, 3, 1, 0, 3]) });
    // P = (1/2, 0, 1/2). Softmax: P (dy - 2). LogSoftmax: dy - 4 P.
    expect(rounded(dx[0]).slice(0, 3)).toEqual(opType === "Softmax" ? [-0.5, 0, 0.5] : [-1, 0, 1]);
    expect(rounded(dx[0]).slice(3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("a row's gradients sum to 0, since adding a number to all logits changes nothing", async () => {
    const { dx } = await vjpAt(opType, { inputs: [rng(1).normal([1, 7])] }, { cotangent: rng(2).normal([1, 7]) });
    expect(Math.abs(rounded(dx[0]).reduce((a, b) => a + b))).toBeLessThan(1e-4);
  });

  test("sizes known in the run only", async () => {
    const sample = { inputs: [rng(1).normal([2, 3, 4])], attributes: { axis: 1 } };
    expect(await dynamicDifference(opType, sample, [["n", "h", "w"]])).toBe(0);
  });
});
