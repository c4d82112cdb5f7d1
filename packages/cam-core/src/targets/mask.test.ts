import { expect, test } from "vitest";
import { createExplainer } from "../runtime/explain.ts";
import { float32, type Tensor } from "../tensor.ts";
import { named, tinyModel } from "../testing/tiny-models.ts";

/** Two classes over the input's own positions, whose size the graph leaves open: class 0 is x, class 1 is −x. */
const open = tinyModel({ x: ["n", 1, "h", "w"] }, (op, { x }) => {
  const a = named(op, op.relu(x!), "A");
  return { logits: op.conv(a, op.constant(float32([2, 1, 1, 1], [1, -1]))) };
});

const explain = async (mask: Tensor) => {
  const target = { kind: "mask", mask, name: "mask.npy" } as const;
  const explainer = await createExplainer(open, { layers: ["A"], method: "hires-cam" }, [target]);
  try {
    const x = float32(
      [1, 1, 4, 4],
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const { explanations } = await explainer.run({ x });
    return { map: Array.from(explanations[0]!.raw[0]!.data as Float32Array), scores: explanations[0]!.scores };
  } finally {
    await explainer.close();
  }
};

test("a coarse mask is laid over an output whose size only the run knows", async () => {
  // The upper left quarter: positions 1, 2, 5, 6 of sixteen.
  const { map, scores } = await explain(float32([2, 2], [1, 0, 0, 0]));
  expect(map).toEqual([1, 2, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(scores).toEqual([14]);
});

test("a mask that fits neither positions nor classes is refused with both shapes", async () => {
  await expect(explain(float32([3, 4, 4], new Float32Array(48).fill(1)))).rejects.toThrow(
    /mask\.npy has shape \[3, 4, 4\]; the output \[n, 2, h, w\]/,
  );
});

test("an element of a sample that isn't in the batch is refused", async () => {
  const explainer = await createExplainer(open, { layers: ["A"] }, [
    { kind: "element", output: "logits", indices: [5, 0, 0, 0] },
  ]);
  await expect(explainer.run({ x: float32([1, 1, 1, 2], [1, 2]) })).rejects.toThrow(/the batch, has 1 entries/);
  await explainer.close();
});
