import { describe, expect, test } from "vitest";
import { computeGradient } from "../runtime/explain.ts";
import { float32, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { formula, named, referenceInput, referenceNetwork, tinyModel } from "../testing/tiny-models.ts";

const target = { kind: "class", index: 0 } as const;
const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);

/** relu of a 1×1 convolution over three channels: relu(x0 + x1 + x2). */
const sumOfThree = tinyModel({ x: [1, 3, 1, 1] }, (op, { x }) => {
  const sum = op.conv(x!, op.constant(float32([1, 3, 1, 1], [1, 1, 1])));
  return { y: op.reshape(op.relu(sum), [1, 1]) };
});

describe("at a kink that float32 can't see", () => {
  // In float32, 1e8 + 1 is 1e8, so the sum is 0 and the ReLU passes nothing; it is 1, and passes everything.
  const x = float32([1, 3, 1, 1], [1e8, 1, -1e8]);
  test("float64 takes the side that exact arithmetic takes", async () => {
    const { gradient, scores, precision } = await computeGradient(sumOfThree, { x }, { target });
    expect(values(gradient)).toEqual([1, 1, 1]);
    expect(scores).toEqual([1]);
    expect(precision).toBe("float64");
  });
  test("float32 says what the served model does", async () => {
    const { gradient } = await computeGradient(sumOfThree, { x }, { target, precision: "float32" });
    expect(values(gradient)).toEqual([0, 0, 0]);
  });
});

test("the reference network's gradient, as far as its weights survive rounding to float32", async () => {
  const { gradient } = await computeGradient(
    referenceNetwork(),
    { x: referenceInput },
    { target: { kind: "class", index: 1 } },
  );
  const wanted = [-0.1931158, -0.2765348, -0.3750709, -0.2555402, 0.5077029, 0.4307036, 0.3600741, 0.3437181];
  for (const [i, value] of wanted.entries()) expect(Math.abs(values(gradient)[i]! - value)).toBeLessThan(1.5e-7);
});

test("the gradient by a weight is what it is multiplied with", async () => {
  const x = float32([2, 3], [1, 2, 3, 4, 5, 6]);
  const model = tinyModel({ x: ["n", 3] }, (op, inputs) => {
    const w = named(op, op.constant(formula([3, 1], (n) => n + 1)), "w");
    return { y: op.matMul(inputs.x!, w) };
  });
  const { gradient } = await computeGradient(model, { x }, { target, wrt: "w" });
  // Both samples' targets are summed: dw = sum over samples of x.
  expect(values(gradient)).toEqual([5, 7, 9]);
});

test("strides, dilations, groups, uneven pads and what has no float64 kernel agree with float32", async () => {
  const random = rng(4);
  const model = tinyModel({ x: ["n", 4, "h", "w"] }, (op, { x }) => {
    const w = (shape: number[]) => op.constant(random.normal(shape));
    const first = op.conv(x!, w([6, 2, 3, 3]), { strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 3], group: 2 });
    const smooth = op.node("HardSwish", [op.node("InstanceNormalization", [first, w([6]), w([6])])[0]])[0]!;
    const norm = op.node("LayerNormalization", [smooth, w([5])], { axis: -1 })[0]!;
    const pooled = op.node("AveragePool", [norm], { kernel_shape: [2, 2] })[0]!;
    return { y: op.squeeze(op.node("GlobalAveragePool", [op.erf(pooled)])[0]!, [2, 3]) };
  });
  const x = random.normal([2, 4, 9, 6]);
  const [exact, single] = await Promise.all(
    (["float64", "float32"] as const).map(
      async (precision) => (await computeGradient(model, { x }, { target, precision })).gradient,
    ),
  );
  const scale = Math.max(...values(exact!).map(Math.abs));
  const off = Math.max(...values(exact!).map((value, i) => Math.abs(value - values(single!)[i]!)));
  expect(exact!.shape).toEqual([2, 4, 9, 6]);
  expect(off / scale).toBeLessThan(2e-6);
  expect(off).toBeGreaterThan(0);
});
