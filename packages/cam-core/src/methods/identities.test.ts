import { describe, expect, test } from "vitest";
import type { Explanation } from "../explain/explainer.ts";
import type { Builder, Value } from "../graph/builder.ts";
import type { Model } from "../model/model.ts";
import { createExplainer } from "../runtime/explain.ts";
import { withSession } from "../runtime/session.ts";
import type { Target } from "../targets/parse.ts";
import { float32, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { named, tinyModel } from "../testing/tiny-models.ts";
import { methodNamed, methodNames } from "./index.ts";
import type { MethodContext } from "./method.ts";

const values = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);
const relu = (list: readonly number[]) => list.map((value) => Math.max(0, value));

/** Relative to the largest of the wanted values. */
function close(got: readonly number[], wanted: readonly number[], rtol = 1e-5) {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(1e-3, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries())
    expect(Math.abs(got[i]! - value), `element ${i}: ${got[i]} for ${value}`).toBeLessThanOrEqual(rtol * scale);
}

type Net = {
  model: Model;
  x: Tensor;
  A: Tensor;
  weights: Tensor;
  bias: Tensor;
  positions: number;
  channels: number;
  classes: number;
};

const [channels, classes] = [5, 4];

/** Convolution, ReLU ("A"), global average pooling, one dense layer; `order` permutes the channels of A. */
function network(sizes: readonly number[], order: readonly number[] = [0, 1, 2, 3, 4], scale = 1): Omit<Net, "A"> {
  const random = rng(60 + sizes.length);
  const kernel = random.normal([channels, 2, ...sizes.map(() => 3)]);
  const shift = random.normal([channels]);
  const weights = random.normal([channels, classes]);
  const bias = random.normal([classes]);
  const block = kernel.data.length / channels;
  const pick = (data: Tensor["data"], width: number) =>
    order.flatMap((k) => Array.from((data as Float32Array).subarray(k * width, (k + 1) * width)));
  const model = tinyModel({ x: ["n", 2, ...sizes] }, (op, { x }) => {
    const conv = op.node(
      "Conv",
      [
        x,
        op.constant(float32(kernel.shape, pick(kernel.data, block))),
        op.constant(float32([channels], pick(shift.data, 1))),
      ],
      { pads: [...sizes, ...sizes].map(() => 1) },
    )[0]!;
    const A = named(op, op.relu(conv), "A");
    const vector = op.reduceMean(A, { axes: sizes.map((_, i) => i + 2), keepdims: false });
    const scaled = (data: readonly number[]) => data.map((value) => value * scale);
    const W = op.constant(float32([channels, classes], scaled(pick(weights.data, classes))));
    return {
      y: op.add(op.matMul(vector, W), op.constant(float32([classes], scaled(Array.from(bias.data as Float32Array))))),
    };
  });
  const positions = sizes.reduce((a, b) => a * b, 1);
  return { model, x: random.normal([2, 2, ...sizes]), weights, bias, positions, channels, classes };
}

async function explain(
  model: Model,
  x: Tensor,
  method: string,
  target: Target = { kind: "class", index: 2 },
): Promise<Explanation> {
  const explainer = await createExplainer(model, { method, ...(method.startsWith("input") ? {} : { layers: ["A"] }) });
  try {
    return (await explainer.run({ x }, [target])).explanations[0]!;
  } finally {
    await explainer.close();
  }
}

async function activations({ model, x }: Omit<Net, "A">): Promise<number[]> {
  const graph = { ...model.graph, outputs: [{ name: "A", dtype: "float32" as const }] };
  return values((await withSession(graph, {}, (session) => session.run({ x }))).A);
}

/** Σ over k of w[k]·A[n, k, p], both samples. */
function weighted(A: readonly number[], positions: number, w: (n: number, k: number) => number): number[] {
  return Array.from({ length: 2 * positions }, (_, at) => {
    const [n, p] = [Math.floor(at / positions), at % positions];
    let sum = 0;
    for (let k = 0; k < channels; k++) sum += w(n, k) * A[(n * channels + k) * positions + p]!;
    return sum;
  });
}

describe.each([
  ["a signal", [7]],
  ["a picture", [5, 6]],
  ["a volume", [3, 4, 5]],
])("%s: pooling and a dense layer behind A ≥ 0", (_, sizes) => {
  const net = network(sizes);
  const { positions: P } = net;
  const W = (k: number, c = 2) => Number(net.weights.data[k * classes + c]);
  const mean = (A: readonly number[], n: number, k: number) =>
    A.slice((n * channels + k) * P, (n * channels + k + 1) * P).reduce((a, b) => a + b, 0) / P;

  test("CAM is Σ W·A; Grad-CAM, HiResCAM and XGrad-CAM are its positive part over the number of positions", async () => {
    const wanted = weighted(await activations(net), P, (_, k) => W(k));
    expect(wanted.some((value) => value < 0) && wanted.some((value) => value > 0)).toBe(true);
    const got = await explain(net.model, net.x, "cam");
    close(values(got.raw[0]), wanted);
    expect(got.raw[0]!.shape).toEqual([2, ...sizes]);
    const over = relu(wanted).map((value) => value / P);
    for (const method of ["grad-cam", "hires-cam", "xgrad-cam"])
      close(values((await explain(net.model, net.x, method)).raw[0]), over);
  });

  test("LayerCAM is Σ relu(W)·A / P", async () => {
    const wanted = weighted(await activations(net), P, (_, k) => Math.max(0, W(k)) / P);
    close(values((await explain(net.model, net.x, "layer-cam")).raw[0]), wanted);
  });

  test("Grad-CAM++ weighs relu(W) / (2 + W·mean A)", async () => {
    const A = await activations(net);
    const wanted = weighted(A, P, (n, k) => Math.max(0, W(k)) / (2 + W(k) * mean(A, n, k)));
    close(values((await explain(net.model, net.x, "grad-cam++")).raw[0]), relu(wanted));
  });

  test("the map of A·dA sums to the score without its bias", async () => {
    const { raw, scores } = await explain(net.model, net.x, "cam");
    for (const n of [0, 1]) {
      const sum = values(raw[0])
        .slice(n * P, (n + 1) * P)
        .reduce((a, b) => a + b, 0);
      expect(sum / P).toBeCloseTo(scores[n]! - Number(net.bias.data[2]), 4);
    }
  });

  test("the opposite target gives the opposite map", async () => {
    const target = (index: number, against: number): Target => ({ kind: "contrast", index, against });
    const there = values((await explain(net.model, net.x, "cam", target(1, 3))).raw[0]);
    const back = values((await explain(net.model, net.x, "cam", target(3, 1))).raw[0]);
    close(
      back,
      there.map((value) => -value),
    );
    // What Grad-CAM's rectifier keeps of one it drops of the other: together they are the whole.
    const [plus, minus] = [target(1, 3), target(3, 1)].map((t) => explain(net.model, net.x, "grad-cam", t));
    const [p, m] = [values((await plus!).raw[0]), values((await minus!).raw[0])];
    close(
      p.map((value, i) => (value - m[i]!) * P),
      there,
    );
  });

  test("a score times 3 leaves the finished map", async () => {
    const large = network(sizes, undefined, 3);
    for (const method of ["grad-cam", "hires-cam", "xgrad-cam", "layer-cam", "cam"])
      close(
        values((await explain(large.model, net.x, method)).map),
        values((await explain(net.model, net.x, method)).map),
        1e-4,
      );
    const plain = values((await explain(net.model, net.x, "grad-cam++")).map);
    const scaled = values((await explain(large.model, net.x, "grad-cam++")).map);
    expect(Math.max(...plain.map((value, i) => Math.abs(value - scaled[i]!)))).toBeGreaterThan(1e-3);
  });

  test.each(methodNames)("%s: the order of channels changes nothing", async (method) => {
    const permuted = network(sizes, [3, 0, 4, 2, 1]);
    close(
      values((await explain(permuted.model, net.x, method)).raw[0]),
      values((await explain(net.model, net.x, method)).raw[0]),
    );
  });

  test.each(methodNames)("%s: two samples are two runs of one", async (method) => {
    const both = await explain(net.model, net.x, method);
    const half = net.x.data.length / 2;
    for (const n of [0, 1]) {
      const x = float32([1, 2, ...sizes], (net.x.data as Float32Array).slice(n * half, (n + 1) * half));
      const one = await explain(net.model, x, method);
      close(values(both.raw[0]).slice(n * P, (n + 1) * P), values(one.raw[0]));
      close(values(both.map).slice(n * P, (n + 1) * P), values(one.map), 1e-4);
    }
  });

  test.each(methodNames)("%s: the finished map is finite, in [0, 1], of the input's size", async (method) => {
    const { map } = await explain(net.model, net.x, method);
    expect(map!.shape).toEqual([2, ...sizes]);
    for (const value of values(map)) expect(value >= 0 && value <= 1).toBe(true);
    for (const n of [0, 1]) expect(Math.max(...values(map).slice(n * P, (n + 1) * P))).toBeCloseTo(1, 4);
  });
});

describe("CAM's precondition", () => {
  const refused = (head: (op: Builder, A: Value) => Value) =>
    createExplainer(
      tinyModel({ x: ["n", 2, 4, 4] }, (op, { x }) => {
        const conv = op.relu(op.conv(x!, op.constant(rng(1).normal([3, 2, 1, 1]))));
        return { y: head(op, named(op, conv, "A")) };
      }),
      { method: "cam", layers: ["A"] },
    );
  const dense = (op: Builder, x: Value, from: number, to: number) =>
    op.matMul(x, op.constant(rng(2).normal([from, to])));
  const mean = (op: Builder, A: Value) => op.reduceMean(A, { axes: [2, 3], keepdims: false });

  test.each([
    ["two dense layers", (op: Builder, A: Value) => dense(op, dense(op, mean(op, A), 3, 4), 4, 2), /2 linear layers/],
    ["an activation between", (op: Builder, A: Value) => dense(op, op.relu(mean(op, A)), 3, 2), /Relu/],
    ["a flattened head", (op: Builder, A: Value) => dense(op, op.node("Flatten", [A])[0]!, 48, 2), /0 poolings/],
    [
      "a global maximum",
      (op: Builder, A: Value) => dense(op, op.reduceMax(A, { axes: [2, 3], keepdims: false }), 3, 2),
      /ReduceMax/,
    ],
    [
      "a dense layer before the pooling",
      (op: Builder, A: Value) => mean(op, op.conv(A, op.constant(rng(3).normal([2, 3, 1, 1])))),
      /before the pooling/,
    ],
  ])("%s is refused", async (_, head, message) => {
    await expect(refused(head)).rejects.toThrow(message);
    await expect(refused(head)).rejects.toMatchObject({ code: "method", hint: expect.stringMatching(/grad-cam/) });
  });
});

/** A method's nodes on constant A and dA, as they stand: [1, K, ...space] in, the raw map out. */
async function onConstants(method: string, A: Tensor, G: Tensor): Promise<number[]> {
  const model = tinyModel({ x: [1] }, (op, { x }) => {
    const zero = op.mul(x!, 0);
    const [a, g] = [op.add(op.constant(A), zero), op.add(op.constant(G), zero)];
    const context: MethodContext = {
      op,
      activations: a,
      gradients: g,
      input: a,
      inputGradients: g,
      space: A.shape.slice(2).map((_, i) => i + 2),
      made: {},
    };
    const [stage] = methodNamed(method).stages;
    return { map: stage?.kind === "nodes" ? stage.build(context).map! : zero };
  });
  return values((await withSession(model.graph, {}, (session) => session.run({ x: float32([1], [1]) }))).map);
}

describe("golden vectors: operators on a 2×2, two channels", () => {
  const A = float32([1, 2, 2, 2], [1, 2, 3, 4, 0, 1, 0, 2]);
  const G = float32([1, 2, 2, 2], [0.5, -1, 1, 2, -1, 0, 3, 1]);
  // pytorch-grad-cam, float64; before the rectifier. Grad-CAM++ with the weights .245671, .4727273: without the epsilon.
  const golden: Readonly<Record<string, readonly number[]>> = {
    "grad-cam": [0.625, 2, 1.875, 4],
    "grad-cam++": [0.245671, 0.245671 * 2 + 0.4727273, 0.245671 * 3, 0.245671 * 4 + 0.4727273 * 2],
    "xgrad-cam": [0.95, 2.5666667, 2.85, 5.1333333],
    "hires-cam": [0.5, -2, 3, 10],
    "layer-cam": [0.5, 0, 3, 10],
    // By hand: sums of G are 2.5 and 3.
    cam: [2.5, 8, 7.5, 16],
    // By hand: the largest |G| of both channels, and Σ A·G.
    "input-gradient": [1, 1, 3, 2],
    "input-x-gradient": [0.5, -2, 3, 10],
  };
  test.each(methodNames)("%s", async (method) => {
    const wanted = /^(cam|input)/.test(method) ? golden[method]! : relu(golden[method]!);
    close(await onConstants(method, A, G), wanted, 1e-6);
  });

  test.each(methodNames)("%s: nothing to see gives zeros, no NaN", async (method) => {
    const zero = float32([1, 2, 2, 2], new Float32Array(8));
    expect((await onConstants(method, zero, zero)).map(Math.abs)).toEqual([0, 0, 0, 0]);
    for (const value of [...(await onConstants(method, zero, G)), ...(await onConstants(method, A, zero))])
      expect(Number.isFinite(value)).toBe(true);
  });

  test("XGrad-CAM and Grad-CAM++ stay finite where their divisor is zero", async () => {
    // Channel 0 sums to 0; channel 1 sums to −4, so that 2 + dA·sum is 0 at dA = 0.5.
    const awkward = float32([1, 2, 2, 2], [1, -1, 2, -2, -1, -1, -1, -1]);
    const half = float32([1, 2, 2, 2], [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]);
    // XGrad: w = 0 and 0.5, so the map is −0.5 everywhere, rectified.
    close(await onConstants("xgrad-cam", awkward, half), [0, 0, 0, 0], 1e-6);
    // Grad-CAM++: w0 = 4 · 1/(2 + 0) = 2, w1 = 0.
    close(await onConstants("grad-cam++", awkward, half), [2, 0, 4, 0], 1e-6);
  });
});

test("methods by name: spellings, and a suggestion", () => {
  for (const name of ["GradCAM", "grad_cam", "Grad-CAM"]) expect(methodNamed(name).name).toBe("grad-cam");
  for (const name of ["gradcam++", "GradCAMPlusPlus", "grad-cam++"]) expect(methodNamed(name).name).toBe("grad-cam++");
  expect(() => methodNamed("grad-cma")).toThrow(
    expect.objectContaining({ code: "unknown-name", hint: expect.stringMatching(/grad-cam/) }),
  );
});
