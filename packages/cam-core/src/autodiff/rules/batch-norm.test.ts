import { describe, expect, test } from "vitest";
import { batchNormTraining } from "../../graph/batch-norm.ts";
import type { Builder, Value } from "../../graph/builder.ts";
import type { Shape } from "../../graph/graph.ts";
import { withSession } from "../../runtime/session.ts";
import { float32, type Tensor } from "../../tensor.ts";
import { hessianProduct } from "../../testing/hessian.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";

const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);
const channels = (...values: number[]) => float32([values.length], values);

test("with given statistics it is a multiplication: scale / √(var + ε)", async () => {
  const inputs = [float32([1, 1, 2], [5, 7]), channels(3), channels(1), channels(6), channels(3)];
  const { dx, nodes } = await vjpAt("BatchNormalization", { inputs, attributes: { epsilon: { float: 1 } }, wrt: [0] });
  expect(numbers(dx[0])).toEqual([1.5, 1.5]);
  expect(nodes.filter((opType) => opType === "ReduceSum")).toEqual([]);
});

describe("in training", () => {
  type Values = Readonly<Record<string, Value>>;
  const shapes = { x: [3, 2, 2], scale: [2], bias: [2], v: [3, 2, 2], u: [3, 2, 2] };
  const normalised = (op: Builder, x: Value, scale: Value, bias: Value) =>
    batchNormTraining(op, x, { scale, bias, epsilon: 1e-5 });

  // What torch.nn.functional.batch_norm(training=True, momentum=0.1, eps=1e-5) gives in float64 (PyTorch 2.13), with running
  // statistics (0.5, -0.5) and (2, 1) before; and the gradient of Σ u · dx for the cotangent v.
  const feeds = {
    x: float32([3, 2, 2], [-2, -0.15, 1.7, -1, 0.85, -1.55, 0, 1.85, -0.55, 1, -1.4, 0.45]),
    scale: channels(1.5, -0.5),
    bias: channels(0.25, 1),
    v: float32([3, 2, 2], [-2, -0.65, 0.7, 1.75, -1.15, 0.2, 1.25, -1.65, -0.3, 0.75, 2.1, -0.8]),
    u: float32([3, 2, 2], [-2, -1.15, -0.3, 0.25, 1.1, 1.95, -1.75, -0.9, -0.05, 0.5, 1.35, 2.2]),
  };
  const expected: Readonly<Record<string, number[]>> = {
    y: [
      -1.898049, 0.585633, 0.416411, 1.51573, 1.928163, -1.29391, 1.108575, 0.355338, 0.04862, 2.129543, 1.678592,
      0.925355,
    ],
    runningMean: [0.41, -0.423333],
    runningVariance: [1.9498, 1.080967],
    dx: [
      -1.273304, -0.278274, -0.561129, -0.040285, -1.39137, 1.48144, -0.187951, 0.342999, 0.368344, 1.093164, -0.042292,
      0.488658,
    ],
    dscale: [2.206226, -6.35637],
    dbias: [-3.15, 3.35],
    hx: [
      2.132908, 0.518086, -0.452259, 0.288257, -0.539204, -0.837154, 0.662686, 0.07286, -0.016664, -1.257972, 0.00914,
      -0.580685,
    ],
    hscale: [3.168726, -2.392868],
    hv: [
      -1.973996, -1.745565, -0.049243, 0.158325, 0.781766, 3.106988, 0.812819, 0.171078, -0.071436, -0.097757,
      -0.225619, -0.867361,
    ],
  };
  const build = (op: Builder, { x, scale, bias, v, u }: Values) => {
    const { y, mean, unbiased } = normalised(op, x!, scale!, bias!);
    const towards = (given: Value, batch: Value) => op.add(given, op.mul(op.sub(batch, given), 0.1));
    const runningMean = towards(op.constant(channels(0.5, -0.5)), mean);
    const runningVariance = towards(op.constant(channels(2, 1)), unbiased);
    const [dx, dscale, dbias] = gradient(op, new Map([[y, v!]]), [x!, scale!, bias!]) as [Value, Value, Value];
    const [hx, hscale, hv] = gradient(op, new Map([[dx, u!]]), [x!, scale!, v!]) as [Value, Value, Value];
    return { y, runningMean, runningVariance, dx, dscale, dbias, hx, hscale, hv };
  };

  test.each<[string, Record<string, Shape>]>([
    ["sizes known", shapes],
    ["sizes known in the run only", { ...shapes, x: ["n", "c", "w"], v: ["n", "c", "w"], u: ["n", "c", "w"] }],
  ])("values, statistics, first and second derivatives are PyTorch's: %s", async (_, given) => {
    const { graph } = tinyModel(given, build);
    const results = await withSession(graph, {}, (run) => run.run(feeds));
    for (const [name, values] of Object.entries(expected))
      for (const [i, value] of numbers(results[name]).entries()) expect(value, name).toBeCloseTo(values[i]!, 4);
  });

  test("nodes share no memory for their statistics, run after run", async () => {
    const x = rng(1).normal([4, 2, 3, 3]);
    const large = { ...x, data: (x.data as Float32Array).map((value) => 10 + 3 * value) };
    const { graph } = tinyModel({ x: [4, 2, 3, 3], large: [4, 2, 3, 3] }, (op, inputs) => {
      const [scale, bias] = [op.constant(channels(1, 1)), op.constant(channels(0, 0))];
      const [small, other] = [inputs.x!, inputs.large!].map((value) => normalised(op, value, scale, bias));
      // Read at the end, when both have written.
      return {
        same: op.sub(small!.y, other!.y),
        ratio: op.div(other!.variance, small!.variance),
        scale: op.mul(scale, 1),
      };
    });
    await withSession(graph, {}, async (run) => {
      for (let i = 0; i < 2; i++) {
        const { same, ratio, scale } = await run.run({ x, large });
        for (const value of numbers(same)) expect(value).toBeCloseTo(0, 4);
        for (const value of numbers(ratio)) expect(value).toBeCloseTo(9, 4);
        expect(numbers(scale)).toEqual([1, 1]);
      }
    });
  });

  test("far from 0 the variance keeps its digits: it is taken about the mean", async () => {
    const { graph } = tinyModel({ x: [4, 1] }, (op, { x }) => {
      const { variance, unbiased } = normalised(op, x!, op.constant(channels(1)), op.constant(channels(0)));
      return { variance, unbiased };
    });
    const x = float32([4, 1], [4096, 4097, 4098, 4099]);
    const { variance, unbiased } = await withSession(graph, {}, (run) => run.run({ x }));
    expect(numbers(variance)).toEqual([1.25]);
    expect(numbers(unbiased)[0]).toBeCloseTo(5 / 3, 6);
  });

  test("what scale and bias can't change isn't in dx: it sums to 0, and is orthogonal to x", async () => {
    const { graph } = tinyModel(shapes, (op, { x, scale, bias, v }) => {
      const { y } = normalised(op, x!, scale!, bias!);
      const dx = gradient(op, new Map([[y, v!]]), [x!])[0]!;
      const over = (value: Value) => op.reduceSum(value, { axes: [0, 2], keepdims: false });
      return { sum: over(dx), product: over(op.mul(dx, x!)) };
    });
    const { sum, product } = await withSession(graph, {}, (run) => run.run(feeds));
    for (const value of [...numbers(sum), ...numbers(product)]) expect(Math.abs(value)).toBeLessThan(1e-4);
  });

  test("a loss on the statistics themselves: d (mean² + var) / dx = 2 mean / n + 2 (x - mean) / n", async () => {
    const { graph } = tinyModel({ x: [4, 1], w: [4, 1] }, (op, { x, w }) => {
      const { mean, variance } = normalised(op, x!, op.constant(channels(2)), op.constant(channels(0)));
      const loss = op.add(op.mul(mean, mean), variance);
      const seed = op.constant(channels(1));
      const { gradients, products } = hessianProduct(op, new Map([[loss, seed]]), [x!], [w!]);
      return { dx: gradients[0]!, hw: products[0]! };
    });
    const x = float32([4, 1], [1, 2, 3, 6]);
    // mean 3: 2 · 3 / 4 + 2 (x - 3) / 4 = x / 2. So the Hessian is half the identity.
    const { dx, hw } = await withSession(graph, {}, (run) => run.run({ x, w: float32([4, 1], [1, 0, -2, 4]) }));
    for (const [i, value] of [0.5, 1, 1.5, 3].entries()) expect(numbers(dx)[i]).toBeCloseTo(value, 5);
    for (const [i, value] of [0.5, 0, -1, 2].entries()) expect(numbers(hw)[i]).toBeCloseTo(value, 5);
  });

  test("one value a channel is refused", () => {
    const one = () =>
      tinyModel({ x: [1, 2, 1, 1] }, (op, { x }) => {
        const scale = op.constant(channels(1, 1));
        return { y: normalised(op, x!, scale, scale).y };
      });
    expect(one).toThrow(/training has one value a channel/);
  });
});
