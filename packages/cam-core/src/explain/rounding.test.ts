import { expect, test } from "vitest";
import { createExplainer } from "../runtime/explain.ts";
import { float32 } from "../tensor.ts";
import { named, tinyModel } from "../testing/tiny-models.ts";

test("a score that saturates when it is quantised is explained like any other", async () => {
  const model = tinyModel({ x: [1, 2, 2, 2] }, (op, { x }) => {
    const a = named(op, op.relu(x!), "A");
    const flat = op.node("Flatten", [op.node("GlobalAveragePool", [a])[0]!], { axis: 1 })[0]!;
    const scores = op.gemm(flat, op.constant(float32([2, 2], [1, -1, 10, 2])));
    const [scale, zero] = [
      op.scalar(0.01, "float32"),
      op.constant({ dtype: "int8", shape: [], data: Int8Array.of(0) }),
    ];
    const codes = op.node("QuantizeLinear", [op.unsqueeze(scores, [2, 3]), scale, zero])[0]!;
    const read = op.node("DequantizeLinear", [op.reshape(codes, [1, 2]), scale, zero])[0]!;
    return { y: read };
  });
  const explainer = await createExplainer(model, { layers: ["A"] }, [{ kind: "class", index: 0 }]);
  const { explanations, logits } = await explainer.run({ x: float32([1, 2, 2, 2], [1, 2, 0, 0, 3, 0, 0, 4]) });
  await explainer.close();
  // Class 0 scores 1 · 0.75 + 10 · 1.75 and saturates at 127 · 0.01; the map is (1 · A0 + 10 · A1) / 4.
  expect((logits.data as Float32Array)[0]).toBeCloseTo(1.27, 5);
  expect(Array.from(explanations[0]!.raw[0]!.data as Float32Array)).toEqual([31 / 4, 2 / 4, 0, 10]);
});
