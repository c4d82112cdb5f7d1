import { Builder, type Value } from "../graph/builder.ts";
import { emptyGraph, type Graph, type Shape } from "../graph/graph.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Model } from "../model/model.ts";
import { float32, sizeOf, type Tensor } from "../tensor.ts";

/** A model written in a few builder calls: `build` gets the inputs by name and returns the outputs by name. */
export function tinyModel(
  inputs: Readonly<Record<string, Shape>>,
  build: (op: Builder, inputs: Readonly<Record<string, Value>>) => Readonly<Record<string, Value>>,
  options: { opset?: number; manifest?: Manifest; dtype?: "float32" | "float64" } = {},
): Model {
  const { opset = 18, dtype = "float32", manifest } = options;
  const graph: Graph = {
    ...emptyGraph("tiny", new Map([["", opset]])),
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, dtype, shape })),
  };
  const op = new Builder(graph, { prefix: "tiny" });
  const outputs = build(op, Object.fromEntries(Object.keys(inputs).map((name) => [name, name])));
  for (const [name, value] of Object.entries(outputs)) {
    op.alias(value, name);
    graph.outputs.push({ name, dtype, shape: op.dims(value) });
  }
  return { name: "tiny", graph, opset, manifest, labels: manifest?.classes ?? [], bytes: 0 };
}

/** Gives a value a name, so that a test can ask for it as a layer. */
export function named(op: Builder, value: Value, name: Value): Value {
  op.alias(value, name);
  return name;
}

/** A tensor filled by a formula over the row-major index. */
export function formula(shape: readonly number[], f: (n: number) => number): Tensor {
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, n) => f(n)),
  );
}

/**
 * A small network whose reference values are known for every method:
 * Conv(1→3, 3×3, stride 2, pad 1) → Relu ("A") → Flatten → Gemm(12→4) → ×0.5 → Tanh → Gemm(4→3), all weights from sines.
 */
export function referenceNetwork(): Model {
  return tinyModel({ x: ["n", 1, 4, 4] }, (op, { x }) => {
    const weight = op.constant(formula([3, 1, 3, 3], (n) => Math.sin(1 + n)));
    const bias = op.constant(float32([3], [0.1, -0.1, 0.2]));
    const conv = op.node("Conv", [x, weight, bias], { strides: [2, 2], pads: [1, 1, 1, 1], kernel_shape: [3, 3] })[0]!;
    const a = named(op, op.relu(conv), "A");
    const flat = op.node("Flatten", [a], { axis: 1 })[0]!;
    const first = op.constant(formula([4, 12], (n) => Math.sin(0.7 * n + 0.3)));
    const firstBias = op.constant(float32([4], [0, 0.1, -0.1, 0.05]));
    const hidden = op.tanh(op.mul(op.node("Gemm", [flat, first, firstBias], { transB: 1 })[0]!, 0.5));
    const second = op.constant(formula([3, 4], (n) => -Math.sin(1.3 * n + 0.5)));
    const secondBias = op.constant(float32([3], [0.05, -0.05, 0.1]));
    return { logits: op.node("Gemm", [hidden, second, secondBias], { transB: 1 })[0]! };
  });
}

/** The input that the reference values are given for. */
export const referenceInput: Tensor = formula([1, 1, 4, 4], (n) => Math.cos(0.9 * n) + 0.5);
