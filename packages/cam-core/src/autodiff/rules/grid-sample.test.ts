import { describe, expect, test } from "vitest";
import { float32 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const values = (tensor: { data: unknown } | undefined) => [...(tensor!.data as Float32Array)];

describe("a row of two pixels, 3 and 7, sampled at one point", () => {
  const at = async (point: number, attributes: Record<string, number | string> = {}) => {
    const inputs = [float32([1, 1, 1, 2], [3, 7]), float32([1, 1, 1, 2], [point, 0])];
    return vjpAt("GridSample", { inputs, attributes });
  };
  test("between them: half of each, and the slope 4 per pixel, one pixel per unit", async () => {
    const { y, dx } = await at(0);
    expect(values(y)).toEqual([5]);
    expect(values(dx[0])).toEqual([0.5, 0.5]);
    // The single row fades out in both directions: at its centre the slope across rows is taken towards the next one, -5.
    expect(values(dx[1])).toEqual([4, -2.5]);
  });
  test("half a pixel outside: faded against zeros, flat against the border or its mirror image", async () => {
    const zeros = await at(-1);
    expect(values(zeros.dx[0])).toEqual([0.5, 0]);
    expect(values(zeros.dx[1])[0]).toBe(3);
    for (const padding_mode of ["border", "reflection"]) {
      const { dx } = await at(-1, { padding_mode });
      expect(values(dx[0])).toEqual([1, 0]);
      expect(values(dx[1])[0]).toBe(0);
    }
  });
  test("far outside: nothing, the border's pixel, or the mirrored one", async () => {
    expect(values((await at(-1e6)).dx[0])).toEqual([0, 0]);
    expect(values((await at(1e6, { padding_mode: "border" })).dx[0])).toEqual([0, 1]);
    // Pixel 2 beyond the end mirrors to pixel 1, pixel 3 to pixel 0.
    const { dx } = await at(2.5, { padding_mode: "reflection" });
    expect(values(dx[0])).toEqual([1, 0]);
  });
});

test.each([
  ["zeros", [1, 2, -4]],
  ["border", [0, 2, 0]],
  ["reflection", [0, 2, 0]],
])(
  "exactly on the pixels 1, 2, 4, %s: the slope towards the next one, none at the border, as in PyTorch",
  async (padding_mode, slopes) => {
    const inputs = [float32([1, 1, 1, 3], [1, 2, 4]), float32([1, 1, 3, 2], [-1, 0, 0, 0, 1, 0])];
    const { dx } = await vjpAt("GridSample", { inputs, attributes: { padding_mode, align_corners: 1 } });
    expect(values(dx[1]).filter((_, i) => i % 2 === 0)).toEqual(slopes);
  },
);

test("points that read the same pixels add up", async () => {
  const inputs = [float32([1, 1, 1, 2], [3, 7]), float32([1, 1, 3, 2], [0, 0, 0, 0, -0.5, 0])];
  const { dx } = await vjpAt("GridSample", { inputs }, { cotangent: float32([1, 1, 1, 3], [1, 2, 4]) });
  expect(values(dx[0])).toEqual([0.5 + 1 + 4, 0.5 + 1]);
});

test("the grid of the nearest pixel gets no gradient", async () => {
  const inputs = [float32([1, 1, 1, 2], [3, 7]), float32([1, 1, 1, 2], [0.4, 0])];
  await expect(vjpAt("GridSample", { inputs, attributes: { mode: "nearest" }, wrt: [1] })).rejects.toThrow(/x1/);
});

describe("on sizes that only the run knows", () => {
  test.each(["zeros", "border", "reflection"])("%s", async (padding_mode) => {
    const random = rng(3);
    for (const [n, height, width] of [
      [1, 4, 5],
      [2, 6, 3],
    ] as const) {
      const inputs = [random.normal([n, 3, height, width]), random.uniform(-1.4, 1.4, [n, 3, 4, 2])];
      const shapes = [
        ["n", 3, "h", "w"],
        ["n", "p", "q", 2],
      ];
      for (const mode of ["bilinear", "bicubic"]) {
        const sample = { inputs, attributes: { mode, padding_mode } };
        expect(await dynamicDifference("GridSample", sample, shapes)).toBeLessThan(1e-4);
      }
    }
  });
});
