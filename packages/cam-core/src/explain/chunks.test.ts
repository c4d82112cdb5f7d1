import { expect, test } from "vitest";
import { createExplainer } from "../runtime/explain.ts";
import { float32, rowOf, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { referenceNetwork, tinyModel } from "../testing/tiny-models.ts";
import { runInChunks } from "./chunks.ts";

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);

test("a batch too large for one run gives what its samples give alone", async () => {
  // 512 x 512 x 1 elements a sample: two samples fill a run, so five take three.
  const model = tinyModel({ x: ["n", 1, 512, 512] }, (op, { x }) => {
    const features = op.relu(op.conv(x!, op.constant(rng(3).normal([4, 1, 3, 3])), { strides: [64, 64] }));
    const pooled = op.squeeze(op.node("GlobalAveragePool", [features])[0]!, [2, 3]);
    return { logits: op.gemm(pooled, op.constant(rng(5).normal([4, 3]))) };
  });
  const explainer = await createExplainer(model);
  const x = rng(1).normal([5, 1, 512, 512]);
  const together = await explainer.run({ x });
  expect(together.logits.shape).toEqual([5, 3]);
  for (let i = 0; i < 5; i++) {
    const row = rowOf(x, i);
    const alone = await explainer.run({ x: { ...row, shape: [1, ...row.shape] } });
    expect(values(rowOf(together.explanations[0]!.map!, i))).toEqual(values(rowOf(alone.explanations[0]!.map!, 0)));
    expect(together.explanations[0]!.classes![i]).toBe(alone.explanations[0]!.classes![0]);
  }
  await explainer.close();
});

test("a signal that fires ends the batch between two runs", async () => {
  const controller = new AbortController();
  let runs = 0;
  const session = {
    run: async ({ x }: Readonly<Record<string, Tensor>>) => {
      runs++;
      controller.abort();
      return { y: x! };
    },
  };
  const x = float32([4, 2 ** 19], new Float32Array(2 ** 21));
  const running = runInChunks(
    session,
    { x },
    { n: 4, batched: new Set(["x"]), main: "x", extra: () => ({}), signal: controller.signal },
  );
  await expect(running).rejects.toMatchObject({ code: "aborted" });
  expect(runs).toBe(1);
});

test("a target that names a sample keeps the batch whole", async () => {
  const explainer = await createExplainer(referenceNetwork(), { layers: ["A"] }, [
    { kind: "element", output: "logits", indices: [1, 0] },
  ]);
  const { explanations } = await explainer.run({ x: rng(2).normal([2, 1, 4, 4]) });
  expect(values(rowOf(explanations[0]!.raw[0]!, 0))).toEqual([0, 0, 0, 0]);
  expect(Math.max(...values(rowOf(explanations[0]!.raw[0]!, 1)))).toBeGreaterThan(0);
  await explainer.close();
});
