import { expect, test } from "vitest";
import { float32 } from "../../tensor.ts";
import { vjpAt } from "../../testing/vjp-at.ts";

test("on whole pixels the slope is that to the next pixel, and outside it is 0: as torchvision's get_coordinate_weight", async () => {
  const offsets = float32([1, 2, 1, 6], [...Array(6).fill(0), 0, 0, 0, 0, -4, 7]);
  const { y, dx } = await vjpAt(
    "DeformConv",
    { inputs: [float32([1, 1, 1, 6], [0, 1, 3, 6, 6, 2]), float32([1, 1, 1, 1], [1]), offsets], opset: 19, wrt: [2] },
    {},
  );
  // The last two places are at 4 - 4 = 0 and at 5 + 7 = 12, outside.
  expect(Array.from(y.data as Float32Array)).toEqual([0, 1, 3, 6, 0, 0]);
  // Down there is nothing, so all of it is lost; to the right: 1 - 0, 3 - 1, 6 - 3, 6 - 6, 1 - 0.
  const expected = [0, -1, -3, -6, 0, 0, 1, 2, 3, 0, 1, 0];
  expect(Array.from(dx[2]!.data as Float32Array, (value) => value + 0)).toEqual(expected);
});
