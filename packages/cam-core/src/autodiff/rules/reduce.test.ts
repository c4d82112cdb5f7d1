import { describe, expect, test } from "vitest";
import type { Shape } from "../../graph/graph.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const infinity = Number.POSITIVE_INFINITY;
const list = (...values: number[]) => int64([values.length], values);
const rounded = (tensor: Tensor | undefined) =>
  Array.from(tensor!.data as Float32Array, (value) => Number(value.toFixed(5)) + 0);
const rows = (...values: number[][]) => float32([values.length, values[0]!.length], values.flat());

describe("by hand", () => {
  test.each<[string, number[][], number[]]>([
    [
      "ReduceMax",
      [
        [2, 2, 1],
        [1, 3, 3],
      ],
      [0.5, 0.5, 0, 0, 0.5, 0.5],
    ],
    [
      "ReduceMin",
      [
        [2, 2, 1],
        [1, 1, 1],
      ],
      [0, 0, 1, 0.33333, 0.33333, 0.33333],
    ],
    ["ReduceL1", [[-2, 0, 3]], [-1, 0, 1]],
    // A vector of zeros has length 0: its gradient is 0, not 0 / 0.
    [
      "ReduceL2",
      [
        [0, 0],
        [3, -4],
      ],
      [0, 0, 0.6, -0.8],
    ],
    // 2 · 0 · 3: only the zero moves the product, by 2 · 3.
    [
      "ReduceProd",
      [
        [2, 0, 3],
        [0, 0, 4],
        [2, -3, 4],
      ],
      [0, 6, 0, 0, 0, 0, -12, 8, -6],
    ],
    ["ReduceLogSumExp", [[-infinity, 1, 1]], [0, 0.5, 0.5]],
    ["ReduceLogSum", [[1, 3]], [0.25, 0.25]],
    ["ReduceMean", [[1, 3]], [0.5, 0.5]],
  ])("%s of %j", async (opType, x, expected) => {
    const { dx } = await vjpAt(opType, { inputs: [rows(...x), list(1)], attributes: { keepdims: 0 } });
    expect(rounded(dx[0])).toEqual(expected);
  });

  test("infinities that flow back reach what they belong to only", async () => {
    const { dx } = await vjpAt(
      "ReduceMax",
      { inputs: [rows([1, 2], [3, -infinity]), list(1)] },
      {
        cotangent: rows([infinity], [1]),
      },
    );
    expect(rounded(dx[0])).toEqual([0, infinity, 1, 0]);
  });
});

const every = [
  ...["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"],
  ...["ReduceLogSum", "ReduceLogSumExp", "ReduceProd"],
];

describe.each(every)("%s: sizes known in the run only", (opType) => {
  const x = rng(1).uniform(0.5, 1.5, [2, 3, 4]);
  const symbols = ["n", "h", "w"];

  // A product is multiplied in another order where its size isn't known: one rounding of values around 1.
  const rounding = opType === "ReduceProd" ? 2 ** -23 : 0;

  test.each([1, 0])("keepdims %i", async (keepdims) => {
    const attributes = { keepdims };
    const difference =
      (...axes: Tensor[]) =>
      (shapes: Shape) =>
        dynamicDifference(opType, { inputs: [x, ...axes], attributes }, [shapes]);
    expect(await difference(list(0, -1))(symbols)).toBeLessThanOrEqual(rounding);
    expect(await difference()(symbols)).toBeLessThanOrEqual(rounding);
    expect(await difference(list(2))(["n", 3, 4])).toBe(0);
  });

  test.each([1, 0])("axes, too; keepdims %i", async (keepdims) => {
    const sample = { inputs: [x, list(-1, 0)], attributes: { keepdims } };
    expect(await dynamicDifference(opType, sample, [symbols, [2]])).toBeLessThan(1e-6);
  });
});

test("a dynamic batch costs no reading of shapes where the axes are of known size", async () => {
  const { nodes } = await vjpAt(
    "ReduceSumSquare",
    { inputs: [rng(1).normal([2, 3, 4]), list(2)] },
    {
      shapes: [["n", 3, 4]],
    },
  );
  expect(nodes).toEqual(["Mul", "Mul"]);
});
