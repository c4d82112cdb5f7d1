import { describe, expect, test } from "vitest";
import { gradient } from "../autodiff/gradient.ts";
import { Builder, type Value } from "../graph/builder.ts";
import { type Graph, initializerOf } from "../graph/graph.ts";
import { openModel } from "../model/model.ts";
import { writeModel } from "../model/write.ts";
import { type NarrowType, numbersOfCodes, packed } from "../narrow.ts";
import { withSession } from "../runtime/session.ts";
import { float32, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";

const random = rng(11);
const scales = float32([2, 5], [0.5, 0.25, 1, 2, 0.125, 0.25, 1, 0.5, 0.5, 4]);
const kernels = random.normal([8, 1, 3, 3]);
const x = random.normal([1, 1, 6, 6]);

/** Codes of [8, 5] weights; of real numbers none that stand for infinity or no number. */
function drawn(dtype: NarrowType): Tensor {
  const below = (limit: number) => Math.floor(limit * random.next());
  const codes = Uint8Array.from({ length: 40 }, () =>
    dtype.startsWith("float8") ? 1 + below(0x6f) + 0x80 * below(2) : below(dtype.endsWith("2") ? 4 : 16),
  );
  return { dtype, shape: [8, 5], data: packed(dtype, codes) };
}

/** Conv, Relu, mean, MatMul with weights that `weights` adds. */
function network(weights: (op: Builder) => Value, opset: number): Graph {
  return tinyModel(
    { x: [1, 1, 6, 6] },
    (op) => {
      const features = op.alias(op.relu(op.conv("x", op.constant(kernels), { pads: [1, 1, 1, 1] })), "features");
      const pooled = op.squeeze(op.reduceMean(features, { axes: [2, 3] }), [2, 3]);
      return { y: op.matMul(pooled, weights(op)) };
    },
    { opset },
  ).graph;
}

/** Scores and d score 1 / d features, of a file written, read and differentiated. */
async function explained(graph: Graph): Promise<number[][]> {
  const op = new Builder(openModel(writeModel(graph).model, { name: "narrow.onnx" }).graph);
  const seed = op.constant(float32([1, 5], [0, 1, 0, 0, 0]));
  const [dA] = gradient(op, new Map([["y", seed]]), ["features"]);
  op.graph.outputs = ["y", dA!].map((name) => ({ name, dtype: "float32" }));
  return withSession(op.graph, { optimize: "disabled" }, async (session) => {
    const results = await session.run({ x });
    return ["y", dA!].map((name) => [...(results[name]!.data as Float32Array)]);
  });
}

const near = (a: readonly number[], b: readonly number[]) => {
  const scale = Math.max(...b.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!) / scale).toBeLessThan(1e-6);
};

describe("weights of a few bits give what the same weights in float32 give", () => {
  test.each<[NarrowType, number]>([
    ["int4", 21],
    ["uint4", 21],
    ["int2", 25],
    ["uint2", 25],
  ])("%s, scaled in blocks of four", async (dtype, opset) => {
    const weights = drawn(dtype);
    const zeros: Tensor = {
      dtype,
      shape: [2, 5],
      data: packed(
        dtype,
        Uint8Array.from({ length: 10 }, (_, i) => i % 4),
      ),
    };
    const dequantised = (op: Builder) => {
      const inputs = [weights, scales, zeros].map((tensor) => op.constant(tensor));
      return op.node("DequantizeLinear", inputs, { axis: 0, block_size: 4 })[0]!;
    };
    const [codes, offsets] = [weights, zeros].map(({ data, shape }) =>
      numbersOfCodes(dtype, data as Uint8Array, shape[0]! * shape[1]!),
    );
    const real = codes!.map((code, i) => {
      const at = 5 * Math.floor(i / 20) + (i % 5);
      return (code - offsets![at]!) * (scales.data[at] as number);
    });
    const [scores, slopes] = await explained(network(dequantised, opset));
    const [expected, expectedSlopes] = await explained(network((op) => op.constant(float32([8, 5], real)), opset));
    near(scores!, expected!);
    near(slopes!, expectedSlopes!);
  });

  test.each<NarrowType>(["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"])(
    "%s, one scale for each column",
    async (dtype) => {
      const weights = drawn(dtype);
      const own = float32([5], [0.5, 0.25, 1, 2, 0.125]);
      const dequantised = (op: Builder) =>
        op.node("DequantizeLinear", [op.constant(weights), op.constant(own)], { axis: 1 })[0]!;
      const real = numbersOfCodes(dtype, weights.data as Uint8Array, 40).map(
        (value, i) => value * (own.data[i % 5] as number),
      );
      const [scores, slopes] = await explained(network(dequantised, 21));
      const [expected, expectedSlopes] = await explained(network((op) => op.constant(float32([8, 5], real)), 21));
      near(scores!, expected!);
      near(slopes!, expectedSlopes!);
    },
  );
});

describe("values rounded to a few bits are differentiated straight through", () => {
  // 1000 and -100 lie beyond what either type holds at these scales; a saturated value passes nothing back.
  test.each<[NarrowType, number, number[]]>([
    ["int4", 0.5, [1, 1, 1, 0, 0]],
    ["uint4", 0.5, [1, 1, 0, 0, 0]],
    ["float8e4m3fn", 1, [1, 1, 1, 0, 1]],
    ["float8e5m2", 0.01, [1, 1, 1, 0, 1]],
  ])("%s", async (dtype, step, expected) => {
    const { graph } = tinyModel(
      { x: [5] },
      (op) => {
        const scale = op.scalar(step, "float32");
        const zero = op.initializer("zero", initializerOf({ dtype, shape: [], data: Uint8Array.of(0) }));
        const q = op.node("QuantizeLinear", ["x", scale, zero])[0]!;
        return { y: op.node("DequantizeLinear", [q, scale, zero])[0]! };
      },
      { opset: 21 },
    );
    const op = new Builder(openModel(writeModel(graph).model, { name: "rounded.onnx" }).graph);
    const [dx] = gradient(op, new Map([["y", op.fillLike("y", 1)]]), ["x"]);
    op.graph.outputs = [{ name: dx!, dtype: "float32" }];
    const at = float32([5], [0, 1.3, -2, 1000, -100]);
    const found = await withSession(op.graph, {}, (session) => session.run({ x: at }));
    expect([...(found[dx!]!.data as Float32Array)]).toEqual(expected);
  });
});
