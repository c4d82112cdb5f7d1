import { describe, expect, test } from "vitest";
import { float32, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";
import type { Sample } from "../rule.ts";

const row = (...values: number[]) => float32([values.length], values);
const rounded = (tensor: Tensor | undefined) =>
  Array.from(tensor!.data as Float32Array, (value) => Number(value.toFixed(5)) + 0);

describe("at the kink and beside it, as in PyTorch", () => {
  test.each<[string, NonNullable<Sample["attributes"]>, number[], number[]]>([
    ["Relu", {}, [-1, 0, 1], [0, 0, 1]],
    ["LeakyRelu", { alpha: { float: 0.1 } }, [-1, 0, 1], [0.1, 0.1, 1]],
    ["LeakyRelu", { alpha: { float: -0.5 } }, [-1, 0, 1], [-0.5, -0.5, 1]],
    ["Elu", { alpha: { float: 2 } }, [-1, 0, 1], [0.73576, 2, 1]],
    ["Elu", { alpha: { float: -2 } }, [-1, 0, 1], [-0.73576, -2, 1]],
    ["Selu", {}, [-1, 0, 1], [0.64677, 1.7581, 1.0507]],
    ["Celu", { alpha: { float: 2 } }, [-1, 0, 1], [0.60653, 1, 1]],
    ["ThresholdedRelu", {}, [0, 1, 2], [0, 0, 1]],
    ["ThresholdedRelu", { alpha: { float: -1 } }, [-2, -1, 0], [0, 0, 1]],
    ["Shrink", {}, [-1, -0.5, 0.5, 1], [1, 0, 0, 1]],
    ["HardSigmoid", { alpha: { float: 0.25 } }, [-2, 0, 2, 3], [0, 0.25, 0, 0]],
    ["HardSwish", {}, [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1]],
  ])("%s %o", async (opType, attributes, x, expected) => {
    const { dx } = await vjpAt(opType, { inputs: [row(...x)], attributes });
    expect(rounded(dx[0])).toEqual(expected);
  });

  test("PRelu: the slope's gradient is summed over what it was broadcast to", async () => {
    const { dx } = await vjpAt("PRelu", { inputs: [float32([3, 1], [0, -1, 1]), row(0.25)] });
    expect(dx.map(rounded)).toEqual([[0.25, 0.25, 1], [-1]]);
  });
});

test.each([
  ["Sigmoid", 18],
  ["Tanh", 18],
  ["Softplus", 18],
  ["Softsign", 18],
  ["Mish", 18],
  ["Gelu", 20],
  ["Swish", 24],
])("%s: far from 0 the gradient is finite", async (opType, opset) => {
  const { dx } = await vjpAt(opType, { inputs: [row(-1e9, -200, 200, 1e9)], opset });
  expect(rounded(dx[0]).every(Number.isFinite)).toBe(true);
});

test.each(["Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "Tanh", "HardSigmoid"])(
  "%s: the backward pass reads y and never x, so that the forward node can stay fused with the one before",
  (opType) => {
    const { graph } = tinyModel({ x: ["n", "k"], dy: ["n", "k"] }, (op, { x, dy }) => {
      const y = op.node(opType, [x!])[0]!;
      return { dx: gradient(op, new Map([[y, dy!]]), [x!])[0]! };
    });
    const readers = graph.nodes.filter((node) => node.inputs.includes("x"));
    expect(readers.map((node) => node.opType)).toEqual([opType]);
  },
);

test("Gelu in the tanh form stays close to the exact one", async () => {
  const sample = { inputs: [rng(1).normal([50])], opset: 20 };
  const exact = rounded((await vjpAt("Gelu", sample)).dx[0]);
  const tanh = rounded((await vjpAt("Gelu", { ...sample, attributes: { approximate: "tanh" } })).dx[0]);
  exact.forEach((value, i) => {
    expect(Math.abs(value - tanh[i]!)).toBeLessThan(2e-3);
  });
});
