import { describe, expect, test } from "vitest";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const list = (...values: number[]) => int64([values.length], values);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("Pad", () => {
  // dy counts in powers of two, so each sum tells its terms; y is [a b c d] with its borders.
  test.each<[string, number, number, number[]]>([
    // b | a b c d | c b
    ["reflect", 1, 2, [2, 4 + 1 + 64, 8 + 32, 16]],
    ["edge", 1, 2, [1 + 2, 4, 8, 16 + 32 + 64]],
    // d | a b c d | a b
    ["wrap", 1, 2, [2 + 32, 4 + 64, 8, 16 + 1]],
    ["constant", 1, 2, [2, 4, 8, 16]],
    // The last element is cut off before the border is made: b c b | a b c
    ["edge", 3, -1, [1 + 2 + 4 + 8, 16, 32, 0]],
    ["reflect", 2, -1, [4, 2 + 8, 1 + 16, 0]],
    ["wrap", 2, -1, [4, 1 + 8, 2 + 16, 0]],
  ])("%s by hand: %i before, %i after", async (mode, before, after, expected) => {
    const sample = { inputs: [float32([4], [0, 0, 0, 0]), list(before, after)], attributes: { mode }, opset: 19 };
    const length = 4 + before + after;
    const cotangent = float32(
      [length],
      Array.from({ length }, (_, i) => 2 ** i),
    );
    const { dx } = await vjpAt("Pad", sample, { cotangent });
    expect(numbers(dx[0])).toEqual(expected);
  });

  test("padding with zeros costs one node", async () => {
    const image = rng(1).normal([1, 2, 3, 4]);
    const slice = await vjpAt("Pad", { inputs: [image, list(0, 0, 1, 1, 0, 0, 1, 0)] });
    expect(slice.nodes).toEqual(["Slice"]);
    const both = await vjpAt("Pad", { inputs: [image, list(0, 0, -1, 1, 0, 0, 1, 0)] });
    expect(both.nodes).toEqual(["Pad"]);
  });

  test("the constant's cotangent has its shape, scalar or not", async () => {
    const sample = { inputs: [float32([2], [1, 2]), list(1, 2), float32([], [9])] };
    const { dx } = await vjpAt("Pad", sample, { cotangent: float32([5], [1, 2, 4, 8, 16]) });
    expect(dx[2]).toMatchObject({ shape: [] });
    expect(numbers(dx[2])).toEqual([25]);
  });

  const x = rng(1).normal([2, 3, 4, 5]);
  test.each(["constant", "reflect", "edge", "wrap"])("sizes and pads known in the run only: %s", async (mode) => {
    for (const pads of [list(0, 0, 1, 2, 0, 0, 3, 0), list(0, 0, -1, 2, 0, 0, 1, -2)]) {
      const sample = { inputs: [x, pads], attributes: { mode }, opset: 19 };
      expect(await dynamicDifference("Pad", sample, [["n", "c", "h", "w"]])).toBe(0);
      expect(await dynamicDifference("Pad", sample, [["n", "c", "h", "w"], [8]])).toBe(0);
    }
    const some = { inputs: [x, list(1, 2, 0, 1), undefined, list(2, -1)], attributes: { mode }, opset: 19 };
    expect(await dynamicDifference("Pad", some, [["n", 3, "h", "w"], [4]])).toBe(0);
  });
});
