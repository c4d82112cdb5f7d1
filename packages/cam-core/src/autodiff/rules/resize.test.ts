import { describe, expect, test } from "vitest";
import { float32, int64 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import type { Sample } from "../rule.ts";

const values = (tensor: { data: unknown } | undefined) => [...(tensor!.data as Float32Array)];

test("pixels repeated sum what came of each", async () => {
  const inputs = [float32([1, 1, 1, 2], [1, 2]), undefined, float32([4], [1, 1, 2, 2])];
  const attributes = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  const cotangent = float32([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
  const { dx } = await vjpAt("Resize", { inputs, attributes, constants: [2] }, { cotangent });
  expect(values(dx[0])).toEqual([1 + 2 + 5 + 6, 3 + 4 + 7 + 8]);
});

test("the ends take what was clamped to them", async () => {
  // Twice as long, pixel centres: y = (x0, 3/4 x0 + 1/4 x1, 1/4 x0 + 3/4 x1, x1).
  const inputs = [float32([1, 1, 2], [1, 2]), undefined, float32([3], [1, 1, 2])];
  const cotangent = float32([1, 1, 4], [8, 16, 32, 64]);
  const { dx } = await vjpAt("Resize", { inputs, attributes: { mode: "linear" }, constants: [2] }, { cotangent });
  expect(values(dx[0])).toEqual([8 + 12 + 8, 4 + 24 + 64]);
});

test("an aspect ratio whose sizes are rounded up, by hand", async () => {
  // 2×3 within 5×4: scale 4/3, and 8/3 is rounded up to 3 rows. Rows 1 2 2 of x, columns 1 2 2 3.
  const inputs = [float32([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]), undefined, undefined, int64([2], [5, 4])];
  const attributes = { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" };
  const { y, dx } = await vjpAt("Resize", { inputs, attributes });
  expect(y.shape).toEqual([1, 1, 3, 4]);
  expect([...(dx[0]!.data as Float32Array)]).toEqual([1, 2, 1, 2, 4, 2]);
});

describe("on sizes that only the run knows", () => {
  const cases: [string, readonly number[], NonNullable<Sample["attributes"]>][] = [
    ["nearest by two", [2, 2], { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }],
    ["linear by two", [2, 2], { mode: "linear" }],
    ["linear by fractions", [1.7, 0.6], { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" }],
    ["cubic, corners aligned", [2, 1.5], { mode: "cubic", coordinate_transformation_mode: "align_corners" }],
  ];
  test.each(cases)("%s", async (_, factors, attributes) => {
    const random = rng(3);
    for (const [n, height, width] of [
      [1, 8, 9],
      [2, 11, 6],
    ] as const) {
      const inputs = [random.normal([n, 3, height, width]), undefined, float32([4], [1, 1, ...factors])];
      const shapes = [["n", 3, "h", "w"]];
      expect(await dynamicDifference("Resize", { inputs, attributes, constants: [2] }, shapes)).toBeLessThan(1e-5);
    }
  });
  test("to sizes that are known", async () => {
    const inputs = [rng(5).normal([2, 3, 5, 7]), undefined, undefined, int64([4], [2, 3, 9, 6])];
    const sample = { inputs, attributes: { mode: "linear" } };
    expect(await dynamicDifference("Resize", sample, [[2, 3, "h", "w"]])).toBeLessThan(1e-5);
  });
});
