import { expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { emptyGraph, type Graph } from "../graph/graph.ts";
import { openModel } from "../model/model.ts";
import { writeModel } from "../model/write.ts";
import { createExplainer } from "../runtime/explain.ts";
import { withSession } from "../runtime/session.ts";
import { float32, numbersIn, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";

const uint8 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "uint8",
  shape,
  data: Uint8Array.from(values),
});
const random = rng(11);
const whole = (count: number) => Array.from({ length: count }, () => Math.floor(256 * random.next()));
const kernel = whole(4 * 3 * 3 * 3);
const head = whole(5 * 4);
const [stepX, stepW, stepA, stepPooled, stepHead] = [0.02, 0.01, 0.05, 0.02, 0.03];

/** Convolution (its ReLU in the saturation at 0), global average pooling, linear layer: all on integers. */
function quantisedNetwork(): Graph {
  const graph = emptyGraph(
    "network",
    new Map([
      ["", 18],
      ["com.microsoft", 1],
    ]),
  );
  graph.inputs.push({ name: "x", dtype: "float32", shape: [1, 3, 8, 8] });
  const op = new Builder(graph, { prefix: "own" });
  const put = (opType: string, inputs: readonly string[], name: string, domain = "") => {
    graph.nodes.push({ opType, domain, name, inputs, outputs: [name], attributes: {} });
    return name;
  };
  const step = (value: number) => op.constant(float32([], [value]), `step${value}`);
  const [middle, none] = [op.constant(uint8([], [128])), op.constant(uint8([], [0]))];
  const x = put("QuantizeLinear", ["x", step(stepX), middle], "x_quantized");
  const w = op.constant(uint8([4, 3, 3, 3], kernel));
  const conv = [x, step(stepX), middle, w, step(stepW), middle, step(stepA), none];
  const a = put("QLinearConv", conv, "features_quantized");
  const pooled = [a, step(stepA), none, step(stepPooled), none];
  const p = put("QLinearGlobalAveragePool", pooled, "pooled_quantized", "com.microsoft");
  const flat = put("Flatten", [p], "flat_quantized");
  const c = op.constant(uint8([4, 5], head));
  const toLogits = [flat, step(stepPooled), none, c, step(stepHead), middle];
  put("QGemm", toLogits, "logits", "com.microsoft");
  graph.outputs.push({ name: "logits", dtype: "float32", shape: [1, 5] });
  return graph;
}

test("a network on integers: the layer keeps its name, and the map is that of the real numbers behind it", async () => {
  const graph = quantisedNetwork();
  const x = random.normal([1, 3, 8, 8]);
  const model = openModel(writeModel(graph).model);
  const explainer = await createExplainer(model, {}, [{ kind: "class", index: 2 }]);
  const { explanations, logits } = await explainer.run({ x });
  await explainer.close();
  expect(explainer.layers.map((layer) => [layer.value, layer.space])).toEqual([["features_quantized", [6, 6]]]);

  graph.outputs.push({ name: "features_quantized", dtype: "uint8" });
  const own = await withSession(graph, {}, (session) => session.run({ x }));
  expect(numbersIn(logits)).toEqual(numbersIn(own.logits!));
  // relu(sum over k of w[k] A[k]) / 36, with A = 0.05 q and w = 0.03 (code - 128).
  const codes = numbersIn(own.features_quantized!);
  const expected = Array.from({ length: 36 }, (_, at) => {
    const sum = [0, 1, 2, 3].reduce((s, k) => s + stepHead * (head[k * 5 + 2]! - 128) * stepA * codes[k * 36 + at]!, 0);
    return Math.max(0, sum) / 36;
  });
  const map = numbersIn(explanations[0]!.raw[0]!);
  const largest = Math.max(...expected);
  expect(largest).toBeGreaterThan(0);
  map.forEach((value, at) => {
    expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-5 * largest);
  });
});
