import { describe, expect, test } from "vitest";
import { bool, float32, float64, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const list = (...values: number[]) => int64([values.length], values);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("layout", () => {
  const image = rng(1).normal([2, 8, 2, 3]);

  test.each<[string, readonly (Tensor | undefined)[], Record<string, number | string | number[]>]>([
    ["Reshape", [image, list(0, 4, 2, -1)], {}],
    ["Flatten", [image], { axis: 2 }],
    ["Squeeze", [rng(1).normal([2, 1, 3]), list(1)], {}],
    ["Unsqueeze", [image, list(1, -1)], {}],
    ["Transpose", [image], { perm: [2, 0, 3, 1] }],
    ["Tile", [image, list(1, 2, 1, 3)], {}],
    ["Expand", [rng(1).normal([2, 1, 3]), list(2, 4, 3)], {}],
    ["DepthToSpace", [image], { blocksize: 2 }],
    ["DepthToSpace", [image], { blocksize: 2, mode: "CRD" }],
    ["SpaceToDepth", [rng(1).normal([1, 2, 4, 6])], { blocksize: 2 }],
  ])("%s: sizes known in the run only", async (opType, inputs, attributes) => {
    const symbols = ["n", "c", "h", "w"].slice(0, inputs[0]!.shape.length);
    expect(await dynamicDifference(opType, { inputs, attributes }, [symbols])).toBe(0);
    expect(await dynamicDifference(opType, { inputs, attributes }, [["n", ...inputs[0]!.shape.slice(1)]])).toBe(0);
  });

  test("a batch known in the run only costs no reading of shapes", async () => {
    const { nodes } = await vjpAt("Flatten", { inputs: [image] }, { shapes: [["n", 8, 2, 3]] });
    expect(nodes).toEqual(["Reshape"]);
  });

  test("shape and repeats known in the run only", async () => {
    const shapes = [["n", "c", "h", "w"], [4]];
    expect(await dynamicDifference("Tile", { inputs: [image, list(1, 2, 1, 3)] }, shapes)).toBe(0);
    expect(await dynamicDifference("Reshape", { inputs: [image, list(0, 4, 2, -1)] }, shapes)).toBe(0);
    expect(
      await dynamicDifference("Expand", { inputs: [rng(1).normal([2, 1, 3]), list(2, 4, 3)] }, [["n", "c", "w"], [3]]),
    ).toBe(0);
  });

  test("CRD: channel c, row r and column s of a block come from channel 4c + 2r + s", async () => {
    const x = float32([1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]);
    const dy = float32([1, 2, 2, 2], [10, 11, 12, 13, 20, 21, 22, 23]);
    const { y, dx } = await vjpAt(
      "DepthToSpace",
      { inputs: [x], attributes: { blocksize: 2, mode: "CRD" } },
      { cotangent: dy },
    );
    expect(numbers(y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(numbers(dx[0])).toEqual([10, 11, 12, 13, 20, 21, 22, 23]);
  });

  test("an empty tensor keeps its shape", async () => {
    const sample = { inputs: [float32([0, 3], []), list(3, 0)], attributes: { allowzero: 1 } };
    expect((await vjpAt("Reshape", sample)).dx[0]!.shape).toEqual([0, 3]);
  });
});

describe("Cast", () => {
  test("the gradient comes back in the input's type", async () => {
    const wide = await vjpAt("Cast", { inputs: [float64([2], [1, 2])], attributes: { to: 1 } });
    expect(wide.dx[0]).toMatchObject({ dtype: "float64", shape: [2] });
    expect(numbers(wide.dx[0])).toEqual([1, 1]);
  });

  test("none flows through a whole number", async () => {
    await expect(vjpAt("Cast", { inputs: [float32([2], [1, 2])], attributes: { to: 7 } })).rejects.toThrow(
      /zero everywhere/,
    );
  });
});

describe("Dropout", () => {
  const x = rng(1).normal([2, 3]);

  test("in training it is refused by name", async () => {
    const inputs = [x, float32([], [0.5]), bool([], [true])];
    await expect(vjpAt("Dropout", { inputs, wrt: [0] })).rejects.toThrow(/gradient of Dropout .* training_mode is on/);
    const open = { inputs: [x, float32([], [0.5]), bool([], [false])], wrt: [0] };
    await expect(vjpAt("Dropout", open, { shapes: [undefined, undefined, []] })).rejects.toThrow(
      /not known before the run/,
    );
  });
});
