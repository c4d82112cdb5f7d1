import { describe, expect, test } from "vitest";
import { withSession } from "../../runtime/session.ts";
import { bool, float32, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
const row = (...values: number[]) => float32([values.length], values);
const scalar = (value: number) => float32([], [value]);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array, (value) => value + 0);

describe("ties and bounds, as in PyTorch", () => {
  test.each([
    ["Max", [0.5, 0, 1, 1], [0.5, 1, 0, 1]],
    ["Min", [0.5, 1, 0, 1], [0.5, 0, 1, 1]],
  ])("%s of two: half each where they are equal, NaN passes to both", async (opType, da, db) => {
    const { dx } = await vjpAt(opType, { inputs: [row(1, 2, 3, none), row(1, 3, 2, 0)] });
    expect(dx.map(numbers)).toEqual([da, db]);
  });

  test("Max of three: the equal ones share alike", async () => {
    const { dx } = await vjpAt("Max", { inputs: [row(1, 2, 5), row(1, 2, 3), row(1, 0, 4)] });
    expect(dx.map(numbers)).toEqual([
      [Math.fround(1 / 3), 0.5, 1],
      [Math.fround(1 / 3), 0.5, 0],
      [Math.fround(1 / 3), 0, 0],
    ]);
  });

  test("Clip passes at its bounds, and each bound collects what it held back", async () => {
    const { dx } = await vjpAt(
      "Clip",
      { inputs: [row(-1, -0.5, 0, 0.5, 1, 2), scalar(-0.5), scalar(0.5)] },
      { cotangent: row(1, 2, 3, 4, 5, 6) },
    );
    expect(dx.map(numbers)).toEqual([[0, 2, 3, 4, 0, 0], [1], [11]]);
    expect(dx[1]!.shape).toEqual([]);
  });

  test("Abs is flat at 0", async () => {
    expect(numbers((await vjpAt("Abs", { inputs: [row(-2, 0, 3)] })).dx[0])).toEqual([-1, 0, 1]);
  });

  test("Pow at 0, to the 0, and of negative numbers", async () => {
    const { dx } = await vjpAt("Pow", { inputs: [row(0, 0, 0, 2, -2, 0), row(0, 1, 2, 0, 3, 0.5)] });
    expect(numbers(dx[0])).toEqual([0, 1, 0, 0, 12, infinity]);
    expect(numbers(dx[1])).toEqual([0, 0, 0, Math.fround(Math.LN2), none, 0]);
  });

  test("Pow with a constant exponent needs no power where norms and activations use it", async () => {
    const inputs = (exponent: number) => ({ inputs: [row(0, -3, 3), scalar(exponent)], constants: [1] });
    expect(numbers((await vjpAt("Pow", inputs(2))).dx[0])).toEqual([0, -6, 6]);
    expect(numbers((await vjpAt("Pow", inputs(0))).dx[0])).toEqual([0, 0, 0]);
    expect((await vjpAt("Pow", inputs(2))).nodes).toEqual(["Mul", "Mul"]);
    expect((await vjpAt("Pow", inputs(0.5))).nodes).toEqual(["Mul", "Div"]);
    expect((await vjpAt("Pow", inputs(1))).nodes).toEqual([]);
  });
});

describe("infinities", () => {
  const cotangent = row(infinity, 1, none);

  test("what Where left out gets 0, whatever flows back", async () => {
    const inputs = [bool([3], [false, true, false]), row(1, 2, 3), row(4, 5, -infinity)];
    const { dx } = await vjpAt("Where", { inputs }, { cotangent });
    expect(numbers(dx[1])).toEqual([0, 1, 0]);
    expect(numbers(dx[2])).toEqual([infinity, 0, none]);
  });

  test("what Clip, Max and Min left out, too", async () => {
    const clipped = await vjpAt(
      "Clip",
      { inputs: [row(-infinity, 0, infinity), scalar(-1), scalar(1)] },
      { cotangent },
    );
    expect(numbers(clipped.dx[0])).toEqual([0, 1, 0]);
    for (const [opType, loser] of [
      ["Max", -infinity],
      ["Min", infinity],
    ] as const) {
      const { dx } = await vjpAt(opType, { inputs: [row(loser, loser, loser), row(1, 2, 3)] }, { cotangent });
      expect(numbers(dx[0])).toEqual([0, 0, 0]);
    }
  });

  test("a masked logit: softmax(x + mask) has finite gradients, 0 where the mask is -infinity", async () => {
    const { graph } = tinyModel({ x: [2, 3] }, (op, { x }) => {
      const mask = op.constant(float32([1, 3], [0, -infinity, 0]));
      const y = op.softmax(op.add(x!, mask), -1);
      const score = op.reduceSum(op.mul(y, op.constant(row(1, 2, 3))), { axes: "all", keepdims: false });
      return { dx: gradient(op, new Map([[score, op.scalar(1, "float32")]]), [x!])[0]! };
    });
    const { dx } = await withSession(graph, {}, (run) => run.run({ x: float32([2, 3], [0, 5, 0, 1, 2, 1]) }));
    // P = (1/2, 0, 1/2), y = 2: dx = P (1 - 2, 2 - 2, 3 - 2)
    expect(numbers(dx)).toEqual([-0.5, 0, 0.5, -0.5, 0, 0.5]);
  });
});

describe("sizes known in the run only", () => {
  const a = rng(1).normal([2, 3, 4]);

  test.each<[string, readonly Tensor[], readonly (readonly (string | number)[])[]]>([
    ["Add", [a, rng(2).normal([3, 1])], [["n", 3, "w"]]],
    ["Mul", [a, rng(2).normal([1, 4])], [["n", "h", "w"]]],
    ["Sub", [rng(2).normal([4]), a], [["w"], ["n", "h", "w"]]],
    // A symbol that turns out to be 1, against another.
    [
      "Div",
      [a, rng(2).uniform(1, 2, [1, 4])],
      [
        ["n", "h", "w"],
        ["p", "q"],
      ],
    ],
    [
      "Max",
      [a, rng(2).normal([2, 1, 1])],
      [
        ["n", "h", "w"],
        ["m", "p", "q"],
      ],
    ],
    ["Pow", [rng(2).uniform(1, 2, [2, 1]), rng(3).normal([3])], [["n", 1], ["k"]]],
  ])("%s", async (opType, inputs, shapes) => {
    expect(await dynamicDifference(opType, { inputs }, shapes)).toBe(0);
  });

  test("a bias is summed before it is turned round, and nothing is read of shapes", async () => {
    const sample = { inputs: [a, rng(2).normal([4])], wrt: [1] };
    const { nodes } = await vjpAt("Sub", sample, { shapes: [["n", "h", 4]] });
    expect(nodes).toEqual(["ReduceSum", "Squeeze", "Neg"]);
  });
});
