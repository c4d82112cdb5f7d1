import { describe, expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";

const list = (...values: number[]) => int64([values.length], values);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("Gather", () => {
  const tokens = rng(1).normal([2, 5, 3]);

  test.each<[string, Tensor, string[]]>([
    ["the class token", int64([], [0]), ["Unsqueeze", "Pad"]],
    ["the class token, kept as an axis", list(0), ["Pad"]],
    ["all but the class token", list(1, 2, 3, 4), ["Pad"]],
    ["all of them", list(0, 1, 2, 3, 4), []],
    ["another order", list(2, 0, 1, 4, 3), ["Gather"]],
    ["some, none twice", list(3, 0), ["Pad", "Gather"]],
  ])("no scatter for %s", async (_, indices, expected) => {
    const { nodes } = await vjpAt("Gather", { inputs: [tokens, indices], attributes: { axis: 1 } });
    expect(nodes).toEqual(expected);
  });

  test("repeats add up, by hand", async () => {
    const sample = { inputs: [float32([3], [7, 8, 9]), list(2, 0, 2, -1)] };
    const { y, dx } = await vjpAt("Gather", sample, { cotangent: float32([4], [1, 2, 4, 8]) });
    expect(numbers(y)).toEqual([9, 7, 9, 9]);
    expect(numbers(dx[0])).toEqual([2, 0, 13]);
  });

  test("no repeat is lost when many threads run", async () => {
    const count = 50_000;
    const sample = { inputs: [float32([3, 4], Array(12).fill(0)), int64([count], Array(count).fill(1))] };
    const { dx } = await vjpAt("Gather", sample, { threads: 8 });
    expect(numbers(dx[0])).toEqual([...Array(4).fill(0), ...Array(4).fill(count), ...Array(4).fill(0)]);
  });

  test("half precision is summed in single", async () => {
    const half = (shape: number[], bits: number[]): Tensor => ({
      dtype: "float16",
      shape,
      data: Uint16Array.from(bits),
    });
    const sample = { inputs: [half([2], [0, 0]), list(1, 1, 1)] };
    const { dx } = await vjpAt("Gather", sample, { cotangent: half([3], [0x3c00, 0x3c00, 0x4000]) });
    expect(dx[0]).toMatchObject({ dtype: "float32", shape: [2] });
    expect(numbers(dx[0])).toEqual([0, 4]); // 1 + 1 + 2
  });

  test.each<[string, Tensor]>([
    ["first", int64([], [0])],
    ["last", int64([], [-1])],
    ["the last two", list(-2, -1)],
    ["the middle", list(1, 2)],
    ["repeats", int64([2, 2], [1, 1, 4, 0])],
  ])("sizes known in the run only: %s", async (_, indices) => {
    const sample = { inputs: [tokens, indices], attributes: { axis: 1 } };
    expect(await dynamicDifference("Gather", sample, [["n", "t", "c"]])).toBe(0);
    expect(await dynamicDifference("Gather", sample, [["n", "t", 3], indices.shape])).toBe(0);
    if (indices.shape.length > 0)
      expect(
        await dynamicDifference("Gather", sample, [["n", "t", "c"], ["k", "l"].slice(0, indices.shape.length)]),
      ).toBe(0);
  });
});

describe("gathering and scattering by whole indices", () => {
  test("GatherND: sizes and indices known in the run only", async () => {
    const sample = {
      inputs: [rng(2).normal([2, 3, 4, 2]), int64([2, 3, 2], [0, 1, 2, 3, 0, 1, 1, -1, -3, 2, 1, 3])],
      attributes: { batch_dims: 1 },
    };
    expect(await dynamicDifference("GatherND", sample, [["n", "a", "b", "c"]])).toBe(0);
    expect(
      await dynamicDifference("GatherND", sample, [
        ["n", "a", "b", "c"],
        ["n", "q", 2],
      ]),
    ).toBe(0);
  });

  test("GatherND: constant rows without repeats need no sum", async () => {
    const { nodes } = await vjpAt("GatherND", { inputs: [rng(2).normal([3, 4]), int64([2, 2], [0, 1, 2, -1])] });
    expect(nodes).toEqual(["Expand", "ScatterND"]);
  });

  test("GatherElements, ScatterElements and Compress: sizes known in the run only", async () => {
    const x = rng(3).normal([3, 4]);
    const indices = int64([2, 4], [0, 2, 1, 0, 0, 2, 1, 2]);
    expect(
      await dynamicDifference("GatherElements", { inputs: [x, indices] }, [
        ["n", "m"],
        ["k", "m"],
      ]),
    ).toBe(0);
    const scattered = { inputs: [x, indices, rng(4).normal([2, 4])], attributes: { reduction: "add" } };
    expect(
      await dynamicDifference("ScatterElements", scattered, [
        ["n", "m"],
        ["k", "m"],
        ["k", "m"],
      ]),
    ).toBe(0);
    const condition = { dtype: "bool" as const, shape: [4], data: Uint8Array.of(1, 0, 0, 1) };
    expect(
      await dynamicDifference("Compress", { inputs: [x, condition], attributes: { axis: 1 } }, [["n", "m"], ["m"]]),
    ).toBe(0);
    expect(await dynamicDifference("Compress", { inputs: [x, condition] }, [["n", "m"], [4]])).toBe(0);
  });

  test("the larger one stays, equal ones share: as PyTorch's scatter_reduce(amax)", async () => {
    const inputs = [float32([4], [5, 1, 3, 0]), list(0, 0, 1, 2), float32([4], [5, 5, 2, 1])];
    const { y, dx } = await vjpAt(
      "ScatterElements",
      { inputs, attributes: { reduction: "max" } },
      { cotangent: float32([4], [3, 10, 20, 40]) },
    );
    expect(numbers(y)).toEqual([5, 2, 3, 0]);
    expect(numbers(dx[0])).toEqual([1, 0, 20, 40]);
    expect(numbers(dx[2])).toEqual([1, 1, 10, 0]);
  });

  test("products with zeros among the updates, by hand", async () => {
    // y = (2·0·5, 3·4)
    const inputs = [float32([2], [2, 3]), list(0, -2, 1), float32([3], [0, 5, 4])];
    const { y, dx } = await vjpAt("ScatterElements", { inputs, attributes: { reduction: "mul" } });
    expect(numbers(y)).toEqual([0, 12]);
    expect(numbers(dx[0])).toEqual([0, 4]);
    expect(numbers(dx[2])).toEqual([10, 0, 3]);
  });

  test("products and extremes of rows, at sizes known in the run only", async () => {
    const values = rng(5).distinct([21]).data as Float32Array;
    const inputs = [
      float32([4, 3], values.subarray(0, 12)),
      int64([3, 1], [3, 1, -1]),
      float32([3, 3], values.subarray(12)),
    ];
    for (const reduction of ["mul", "max", "min"]) {
      const sample = { inputs, attributes: { reduction } };
      expect(await dynamicDifference("ScatterND", sample, [["n", "c"], undefined, ["k", "c"]])).toBe(0);
    }
  });
});

describe("what the runtime will refuse is left to it, or refused by name", () => {
  const picked = (indices: readonly number[], axis: number) => {
    const { graph } = tinyModel({ x: [2, 3] }, (op, { x }) => ({
      y: op.node("Gather", [x!, op.ints(indices)], { axis })[0]!,
    }));
    return () => gradient(new Builder(graph), new Map([["y", "y"]]), ["x"]);
  };

  test.each([[[0, 1099511627776]], [[2, 7]]])("indices beyond the end: %j", (indices) => {
    expect(picked(indices, 1)).not.toThrow();
  });

  test.each([-100, 2])("axis %i", (axis) => {
    expect(picked([0], axis)).toThrow(/axis -?\d+ is none of the 2 that "x" has/);
  });
});
