import { describe, expect, test } from "vitest";
import { float32 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const values = (tensor: { data: unknown } | undefined) => [...(tensor!.data as Float32Array)];

describe("ties go to the first pixel, row by row, as in PyTorch", () => {
  const x = float32([1, 1, 3, 3], [0, 0, 0, 0, 5, 5, 0, 5, 5]);
  test("MaxPool", async () => {
    // The windows' first fives are at (1, 1), (1, 1), (1, 1), (1, 1): the middle takes all four.
    const { dx } = await vjpAt("MaxPool", { inputs: [x], attributes: { kernel_shape: [2, 2] } });
    expect(values(dx[0])).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 0]);
  });
  test("MaxPool on all zeros, as after a Relu", async () => {
    const inputs = [float32([1, 2, 2, 2], Array(8).fill(0))];
    const cotangent = float32([1, 2, 1, 1], [3, 7]);
    const { dx } = await vjpAt("MaxPool", { inputs, attributes: { kernel_shape: [2, 2] } }, { cotangent });
    expect(values(dx[0])).toEqual([3, 0, 0, 0, 7, 0, 0, 0]);
  });
  test("GlobalMaxPool", async () => {
    const { dx } = await vjpAt("GlobalMaxPool", { inputs: [x] });
    expect(values(dx[0])).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});

test("a window of zeros has no LpPool gradient, and no NaN", async () => {
  const inputs = [float32([1, 1, 1, 4], [0, 0, 3, 4])];
  const attributes = { kernel_shape: [1, 2], strides: [1, 2] };
  // y = (0, 5): dx = x / y
  expect(values((await vjpAt("LpPool", { inputs, attributes })).dx[0])).toEqual([
    0,
    0,
    Math.fround(0.6),
    Math.fround(0.8),
  ]);
  const zeros = [float32([1, 1, 1, 2], [0, 0])];
  expect(values((await vjpAt("GlobalLpPool", { inputs: zeros })).dx[0])).toEqual([0, 0]);
});

test("AveragePool divides by the pixels that count", async () => {
  const inputs = [float32([1, 1, 3], [1, 2, 3])];
  const attributes = { kernel_shape: [3], pads: [1, 1] };
  // Windows of 2, 3 and 2 pixels when padding doesn't count, else of 3 each.
  const without = (await vjpAt("AveragePool", { inputs, attributes })).dx[0];
  [1 / 2 + 1 / 3, 1 / 2 + 1 / 3 + 1 / 2, 1 / 3 + 1 / 2].forEach((value, i) => {
    expect(values(without)[i]).toBeCloseTo(value, 6);
  });
  const counted = (await vjpAt("AveragePool", { inputs, attributes: { ...attributes, count_include_pad: 1 } })).dx[0];
  [2 / 3, 1, 2 / 3].forEach((value, i) => {
    expect(values(counted)[i]).toBeCloseTo(value, 6);
  });
});

describe("on sizes that only the run knows", () => {
  const cases: [string, string, Record<string, number | string | number[]>][] = [
    ["MaxPool", "strided", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["MaxPool", "SAME", { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }],
    ["AveragePool", "side by side", { kernel_shape: [2, 2], strides: [2, 2] }],
    ["AveragePool", "padding not counted", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["AveragePool", "stride 1, padding not counted", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
    ["AveragePool", "ceil_mode", { kernel_shape: [3, 2], strides: [2, 3], ceil_mode: 1 }],
    ["AveragePool", "SAME", { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_LOWER" }],
    ["LpPool", "strided", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["GlobalAveragePool", "all", {}],
    ["GlobalMaxPool", "all", {}],
    ["GlobalLpPool", "all", {}],
  ];
  test.each(cases)("%s, %s", async (opType, _, attributes) => {
    const random = rng(3);
    for (const [n, height, width] of [
      [1, 8, 9],
      [2, 11, 6],
    ] as const) {
      const sample = { inputs: [random.distinct([n, 4, height, width])], attributes };
      expect(await dynamicDifference(opType, sample, [["n", 4, "h", "w"]])).toBeLessThan(1e-5);
    }
  });
});
