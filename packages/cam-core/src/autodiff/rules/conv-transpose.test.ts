import { describe, expect, test } from "vitest";
import { float32 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

test("each input pixel collects the window that it wrote", async () => {
  // y = (10·x0, 20·x0 + 10·x1, 20·x1) for w = (10, 20) at stride 1.
  const inputs = [float32([1, 1, 2], [1, 2]), float32([1, 1, 2], [10, 20])];
  const { y, dx } = await vjpAt("ConvTranspose", { inputs }, { cotangent: float32([1, 1, 3], [1, 2, 4]) });
  expect([...(y.data as Float32Array)]).toEqual([10, 40, 40]);
  expect([...(dx[0]!.data as Float32Array)]).toEqual([10 + 40, 20 + 80]);
  expect([...(dx[1]!.data as Float32Array)]).toEqual([1 * 1 + 2 * 2, 1 * 2 + 2 * 4]);
});

describe("ConvTranspose on sizes that only the run knows", () => {
  const cases: [string, number[], Record<string, number | string | number[]>][] = [
    ["strided", [4, 3, 3, 3], { strides: [2, 3], pads: [1, 0, 1, 2], output_padding: [1, 0] }],
    ["groups", [4, 2, 3, 2], { group: 2, strides: [2, 2] }],
    ["SAME_UPPER", [4, 3, 5, 3], { auto_pad: "SAME_UPPER", strides: [2, 2] }],
    ["a wide kernel", [4, 3, 7, 5], { strides: [2, 1], pads: [1, 1, 0, 1] }],
  ];
  test.each(cases)("%s", async (_, weights, attributes) => {
    const random = rng(3);
    for (const [n, height, width] of [
      [1, 5, 4],
      [2, 3, 6],
    ] as const) {
      const inputs = [random.normal([n, 4, height, width]), random.normal(weights)];
      const shapes = [["n", 4, "h", "w"], undefined];
      expect(await dynamicDifference("ConvTranspose", { inputs, attributes }, shapes)).toBeLessThan(1e-4);
    }
  });
  test("a size that is asked for", async () => {
    const random = rng(3);
    const inputs = [random.normal([2, 4, 3, 4]), random.normal([4, 2, 3, 4])];
    for (const auto_pad of ["NOTSET", "SAME_UPPER"]) {
      const attributes = { strides: [2, 2], output_shape: [5, 9], auto_pad };
      const shapes = [["n", 4, "h", "w"], undefined];
      expect(await dynamicDifference("ConvTranspose", { inputs, attributes }, shapes)).toBeLessThan(1e-4);
    }
  });
});
