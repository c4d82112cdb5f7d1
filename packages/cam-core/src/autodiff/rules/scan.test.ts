import { describe, expect, test } from "vitest";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("TopK", () => {
  test("of equal values, the ones that were chosen", async () => {
    const sample = { inputs: [float32([5], [3, 1, 3, 2, 3]), int64([1], [2])], outputs: 2 };
    const { y, dx } = await vjpAt("TopK", sample, { cotangent: float32([2], [10, 20]) });
    expect(numbers(y)).toEqual([3, 3]);
    expect(numbers(dx[0])).toEqual([10, 0, 20, 0, 0]);
  });

  test("sizes and k known in the run only", async () => {
    const sample = { inputs: [rng(1).distinct([3, 6]), int64([1], [2])], outputs: 2 };
    expect(await dynamicDifference("TopK", sample, [["n", "c"]])).toBe(0);
    expect(await dynamicDifference("TopK", sample, [["n", "c"], [1]])).toBe(0);
  });
});

describe("along an axis", () => {
  test("CumSum by hand: x[i] is in y[i] and all later ones", async () => {
    const sample = { inputs: [float32([4], [1, 2, 3, 4]), int64([], [0])] };
    const { y, dx, nodes } = await vjpAt("CumSum", sample, { cotangent: float32([4], [1, 10, 100, 1000]) });
    expect(numbers(y)).toEqual([1, 3, 6, 10]);
    expect(numbers(dx[0])).toEqual([1111, 1110, 1100, 1000]);
    expect(nodes).toEqual(["CumSum"]);
  });

  test("Trilu keeps what was kept, and what is infinite stays outside", async () => {
    const sample = { inputs: [float32([2, 2], [1, 2, 3, 4])] };
    const { dx } = await vjpAt("Trilu", sample, { cotangent: float32([2, 2], [1, 2, Number.POSITIVE_INFINITY, 4]) });
    expect(numbers(dx[0])).toEqual([1, 2, 0, 4]);
  });

  test("sizes, axis and lengths known in the run only", async () => {
    const x = rng(2).normal([3, 4]);
    expect(await dynamicDifference("CumSum", { inputs: [x, int64([], [1])] }, [["n", "c"], []])).toBe(0);
    expect(await dynamicDifference("Trilu", { inputs: [x, int64([], [1])] }, [["n", "c"], []])).toBe(0);
    const sequences = { inputs: [x, int64([4], [1, 3, 2, 1])] };
    expect(await dynamicDifference("ReverseSequence", sequences, [["n", "c"], ["c"]])).toBe(0);
  });
});
