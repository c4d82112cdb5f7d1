import { expect, test } from "vitest";
import { Builder, type Value } from "../../graph/builder.ts";
import { emptyGraph } from "../../graph/graph.ts";
import { withSession } from "../../runtime/session.ts";
import { float32, type Tensor } from "../../tensor.ts";
import { feed } from "../../testing/one-node.ts";
import { gradient } from "../gradient.ts";

/** y and dx of a graph of float32 x, for a cotangent of ones. */
async function differentiate(
  x: Tensor,
  build: (op: Builder, x: Value) => Value,
): Promise<{ y: number[]; dx: number[] }> {
  const op = new Builder(emptyGraph("test", new Map([["", 18]])));
  const input = feed(op, "x", { dtype: "float32", shape: x.shape });
  const y = build(op, input);
  const seed = op.fillLike(y, 1);
  const [dx] = gradient(op, new Map([[y, seed]]), [input]);
  op.graph.outputs = [y, dx!].map((name) => ({ name, dtype: "float32" }));
  return withSession(op.graph, { optimize: "disabled" }, async (session) => {
    const results = await session.run({ x });
    const numbers = (name: Value) => [...(results[name]!.data as Float32Array)];
    return { y: numbers(y), dx: numbers(dx!) };
  });
}

const int8 = (op: Builder, ...values: number[]) =>
  op.constant({
    dtype: "int8",
    shape: values.length === 1 ? [] : [values.length],
    data: Int8Array.from(values),
  });

// torch 2.13: torch.fake_quantize_per_tensor_affine(x, 0.5, 3, -128, 127), and x.grad of its sum: 1 where
// -128 <= round(x / 0.5) + 3 <= 127. -65.6 gives -131 + 3 = -128 (inside), -65.8 gives -129 (outside); 62.2 gives 127, 62.3 128.
test("straight through between the ends, nothing where the result saturates", async () => {
  const x = float32([8], [-70, -65.8, -65.6, -0.3, 0, 0.26, 62.2, 62.3]);
  const { y, dx } = await differentiate(x, (op, value) => {
    const [scale, zero] = [op.scalar(0.5, "float32"), int8(op, 3)];
    const q = op.node("QuantizeLinear", [value, scale, zero])[0]!;
    return op.node("DequantizeLinear", [q, scale, zero])[0]!;
  });
  expect(y).toEqual([-65.5, -65.5, -65.5, -0.5, 0, 0.5, 62, 62]);
  expect(dx).toEqual([0, 0, 1, 1, 1, 1, 1, 0]);
});

test("one scale for each channel", async () => {
  const x = float32([1, 2, 2], [10, 40, 10, 40]);
  const { dx } = await differentiate(x, (op, value) => {
    const scale = op.constant(float32([2], [0.1, 1]));
    const q = op.node("QuantizeLinear", [value, scale, int8(op, 0, 0)], { axis: 1 })[0]!;
    return op.node("DequantizeLinear", [q, op.constant(float32([2], [0.2, 3])), int8(op, 0, 0)], { axis: 1 })[0]!;
  });
  // 10 / 0.1 = 100 fits, 40 / 0.1 = 400 doesn't; the gradient is 0.2 / 0.1 and 3 / 1.
  expect(dx.map((value) => Math.round(value * 1e5) / 1e5)).toEqual([2, 0, 3, 3]);
});

test("a product of integers that the input was quantised to is that of the numbers they stand for", async () => {
  const x = float32([2, 2], [1, -2, 0.5, 3]);
  const { dx } = await differentiate(x, (op, value) => {
    const [q, scale, zero] = op.node("DynamicQuantizeLinear", [value], {}, { outputs: 3 });
    const w = op.constant({ dtype: "int8", shape: [2, 2], data: Int8Array.of(2, 7, -3, 4) });
    const product = op.node("MatMulInteger", [q, w, zero, int8(op, 1)])[0]!;
    return op.mul(op.cast(product, "float32"), op.mul(scale!, 0.25));
  });
  // dx = 1 · (0.25 (w - 1))ᵀ: rows of w less 1 sum to 1 + 6 = 7 and -4 + 3 = -1. The scales cancel.
  dx.forEach((value, i) => {
    expect(value).toBeCloseTo([1.75, -0.25, 1.75, -0.25][i]!, 5);
  });
});

test("a convolution of integers likewise", async () => {
  const x = float32([1, 1, 1, 3], [1, -2, 0.5]);
  const { dx } = await differentiate(x, (op, value) => {
    const [q, scale, zero] = op.node("DynamicQuantizeLinear", [value], {}, { outputs: 3 });
    const w = op.constant({ dtype: "uint8", shape: [1, 1, 1, 2], data: Uint8Array.of(5, 1) });
    const offset = op.constant({ dtype: "uint8", shape: [], data: Uint8Array.of(3) });
    const product = op.node("ConvInteger", [q, w, zero, offset])[0]!;
    return op.mul(op.cast(product, "float32"), scale!);
  });
  // The kernel stands for [2, -2]; two windows: [2, 2 - 2, -2].
  dx.forEach((value, i) => {
    expect(value).toBeCloseTo([2, 0, -2][i]!, 5);
  });
});

test("a whole number that isn't a quantised one ends the path", async () => {
  const x = float32([3], [1.5, 2.5, -3.5]);
  const { dx } = await differentiate(x, (op, value) =>
    op.add(op.mul(op.cast(op.cast(value, "int32"), "float32"), 5), value),
  );
  expect(dx).toEqual([1, 1, 1]);
});
