import { describe, expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/graph.ts";
import { withSession } from "../../runtime/session.ts";
import { float32, type Tensor } from "../../tensor.ts";
import { checkSecondOrder } from "../../testing/check-second-order.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";
import type { Sample } from "../rule.ts";

const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);
const rounded = (tensor: Tensor | undefined) => numbers(tensor).map((value) => Number(value.toFixed(5)) + 0);
const random = rng(1);
const image = random.normal([2, 6, 3, 4]);
const perChannel = [random.normal([6]), random.normal([6])];
const perGroup = [random.normal([2]), random.normal([2])];
const two = { num_groups: 2 };

/** Every normalisation: a sample, and the shapes it may have in a file. */
const cases: [string, Sample, Shape[]][] = [
  [
    "BatchNormalization",
    { inputs: [image, ...perChannel, random.normal([6]), random.uniform(0.5, 2, [6])] },
    [["n", 6, "h", "w"]],
  ],
  ["InstanceNormalization", { inputs: [image, ...perChannel] }, [["n", 6, "h", "w"]]],
  ["GroupNormalization", { inputs: [image, ...perGroup], attributes: two }, [["n", 6, "h", "w"]]],
  ["GroupNormalization", { inputs: [image, ...perChannel], attributes: two, opset: 21 }, [["n", "c", "h", "w"]]],
  ["LayerNormalization", { inputs: [image, random.normal([4]), random.normal([4])] }, [["n", "c", "h", 4]]],
  ["LayerNormalization", { inputs: [image, random.normal([3, 4])], attributes: { axis: 2 } }, [["n", "c", "h", "w"]]],
  [
    "RMSNormalization",
    { inputs: [image, random.normal([3, 4])], attributes: { axis: 2 }, opset: 23 },
    [["n", "c", "h", "w"]],
  ],
  ["LpNormalization", { inputs: [image], attributes: { axis: 1 } }, [["n", "c", "h", "w"]]],
  ["MeanVarianceNormalization", { inputs: [image] }, [["n", "c", "h", "w"]]],
  ["LRN", { inputs: [image], attributes: { size: 3 } }, [["n", "c", "h", "w"]]],
];

test.each(cases)("%s %#: sizes known in the run only", async (opType, sample, shapes) => {
  expect(await dynamicDifference(opType, sample, shapes)).toBeLessThan(1e-6);
});

// In float32 one fused LayerNormalization takes the moments' place, so its derivative is another one.
test.each(["LayerNormalization", "GroupNormalization", "InstanceNormalization", "BatchNormalization"])(
  "%s: the second derivatives in float32",
  async (opType) => {
    await checkSecondOrder(opType, { seed: 1, precision: "float32" });
  },
);

test.each([
  ["LayerNormalization", 18, -(2 ** 43)],
  ["LayerNormalization", 18, 2],
  ["RMSNormalization", 23, -3],
])("%s over an axis that isn't there is refused by name", (opType, opset, axis) => {
  const model = tinyModel(
    { x: [2, 4], scale: [4] },
    (op, { x, scale }) => ({ y: op.node(opType, [x!, scale!], { axis })[0]! }),
    { opset },
  );
  const op = new Builder(model.graph);
  expect(() => gradient(op, new Map([["y", "x"]]), ["x"])).toThrow(/axis -?\d+ is none of the 2 that "x" has/);
});

describe("LayerNormalization", () => {
  const wide = (tensor: Tensor | undefined) =>
    tensor && { ...tensor, dtype: "float64" as const, data: Float64Array.from(numbers(tensor)) };

  test.each([0, 100])("one fused pass in float32 agrees with moments in float64, mean %i", async (mean) => {
    const x = { ...image, data: (image.data as Float32Array).map((value) => value + mean) };
    const inputs = [x, random.normal([3, 4]), random.normal([3, 4])];
    const cotangent = random.normal(image.shape);
    const narrow = await vjpAt("LayerNormalization", { inputs, attributes: { axis: 2 } }, { cotangent });
    const exact = await vjpAt(
      "LayerNormalization",
      { inputs: inputs.map(wide), attributes: { axis: 2 } },
      { cotangent: wide(cotangent)! },
    );
    for (const i of [0, 1, 2]) {
      const expected = numbers(exact.dx[i]);
      numbers(narrow.dx[i]).forEach((value, at) => {
        expect(value).toBeCloseTo(expected[at]!, 4);
      });
    }
  });

  // Mean and 1 / deviation of (1, 2, 3, 6): 3 and 1 / √3.5 = r. d mean = 1/4 each, d r = -r³ (x - 3) / 4.
  test.each([
    [1, [0.25, 0.25, 0.25, 0.25]],
    [2, [2, 1, 0, -3].map((value) => value / 4 / 3.5 ** 1.5)],
  ])("output %i carries a gradient", async (output, expected) => {
    const { graph } = tinyModel({ x: [1, 4] }, (op, { x }) => {
      const ones = op.constant(float32([4], [1, 1, 1, 1]));
      const outputs = op.node("LayerNormalization", [x, ones], { epsilon: 0 }, { outputs: 3 });
      const score = outputs[output]!;
      return { dx: gradient(op, new Map([[score, op.constant(float32([1, 1], [1]))]]), [x!])[0]! };
    });
    const { dx } = await withSession(graph, {}, (run) => run.run({ x: float32([1, 4], [1, 2, 3, 6]) }));
    expect(rounded(dx)).toEqual(expected.map((value) => Number(value.toFixed(5))));
  });
});

test.each<[string, Sample]>([
  ["InstanceNormalization", { inputs: [float32([1, 1, 4], [2, 2, 2, 2]), float32([1], [3]), float32([1], [0])] }],
  ["LayerNormalization", { inputs: [float32([1, 4], [2, 2, 2, 2]), float32([4], [3, 3, 3, 3])] }],
  ["RMSNormalization", { inputs: [float32([1, 4], [0, 0, 0, 0]), float32([4], [1, 1, 1, 1])], opset: 23 }],
  ["LpNormalization", { inputs: [float32([1, 4], [0, 0, 0, 0])] }],
  ["LpNormalization", { inputs: [float32([1, 4], [0, 0, 0, 0])], attributes: { p: 1 } }],
])("%s of a constant is differentiated without NaN", async (opType, sample) => {
  const { dx } = await vjpAt(opType, { ...sample, wrt: [0] });
  expect(numbers(dx[0]).every(Number.isFinite)).toBe(true);
});

test("what subtracts a mean has gradients that sum to 0 over each group", async () => {
  const cotangent = rng(3).normal(image.shape);
  const { dx } = await vjpAt(
    "GroupNormalization",
    { inputs: [image, ...perChannel], attributes: two, opset: 21 },
    { cotangent },
  );
  for (let group = 0; group < 4; group++) {
    const sum = numbers(dx[0])
      .slice(36 * group, 36 * (group + 1))
      .reduce((a, b) => a + b);
    expect(Math.abs(sum)).toBeLessThan(1e-4);
  }
});
