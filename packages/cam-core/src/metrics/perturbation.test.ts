import { expect, test } from "vitest";
import { createScorer } from "../runtime/explain.ts";
import { float32, type Tensor } from "../tensor.ts";
import { named, tinyModel } from "../testing/tiny-models.ts";
import { constantBaseline } from "./baseline.ts";
import { deletion } from "./deletion.ts";
import { insertion } from "./insertion.ts";
import type { Scorer } from "./metric.ts";

/** score = Σ w · x, counted by hand. */
function linear(weights: readonly number[], batch = 3): Scorer & { runs: number[] } {
  const runs: number[] = [];
  return {
    runs,
    batch,
    quantity: "score",
    score: async (inputs: Tensor) => {
      const n = inputs.shape[0]!;
      runs.push(n);
      const values = inputs.data as Float32Array;
      return Array.from({ length: n }, (_, i) =>
        weights.reduce((sum, w, k) => sum + w * values[i * weights.length + k]!, 0),
      );
    },
  };
}

// Two channels of 2 × 2. Φ = x·w summed over channels: [1·1 + 2·1, 0·1 + 1·(−1), 2·3 + 0·1, 1·1 + 1·2] = [3, −1, 6, 3]
const x = float32([1, 2, 2, 2], [1, 0, 2, 1, 2, 1, 0, 1]);
const weights = [1, 1, 3, 1, 1, -1, 1, 2];
const phi = float32([1, 2, 2], [3, -1, 6, 3]);
const input = { tensor: x, space: [2, 3] };
const baseline = constantBaseline(x, 0);

test("on a linear model deletion is what is left after the sorted contributions, exactly", async () => {
  const scorer = linear(weights);
  const found = await deletion.measure({ map: phi, input, scorer }, { baseline, randomSeeds: [] });
  // Y = 11; then without 6, 3, 3 and −1. Of the two 3s the one with the lower index goes first.
  expect(found.curve.scores).toEqual([11, 5, 2, -1, 0]);
  expect(found.curve.fractions).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(found.value).toBeCloseTo((11 / 2 + 5 + 2 - 1 + 0 / 2) / 4, 12);
  expect(found.tied).toBe(0.5);
  expect(scorer.runs).toEqual([3, 2]); // batches of at most 3
});

test("insertion is the same walk from the other end", async () => {
  const found = await insertion.measure({ map: phi, input, scorer: linear(weights) }, { baseline, randomSeeds: [] });
  expect(found.curve.scores).toEqual([0, 6, 9, 12, 11]);
});

test("no order deletes faster than the true contributions, and a random one lies between it and the reverse", async () => {
  const measure = (map: Tensor) =>
    deletion.measure({ map, input, scorer: linear(weights) }, { baseline, randomSeeds: [1, 2, 3] });
  const [best, worst] = [await measure(phi), await measure(float32([2, 2], [-3, 1, -6, -3]))];
  expect(best.value).toBeLessThan(best.random!.area);
  expect(best.random!.area).toBeLessThan(worst.value);
  expect(best.randomAreas).toHaveLength(3);
  expect(best.random!.area).toBeCloseTo(best.randomAreas.reduce((a, b) => a + b) / 3, 12);
  expect(worst.random).toEqual(best.random); // the seeds' own orders
});

test("what stands in for a removed position is the baseline's value there", async () => {
  const other = float32([1, 2, 2, 2], [9, 0, 2, 1, 2, 1, 0, 1]); // differs in one element, at the position removed second
  const found = await deletion.measure(
    { map: phi, input, scorer: linear(weights) },
    { baseline: other, randomSeeds: [] },
  );
  expect(found.curve.scores).toEqual([11, 11, 19, 19, 19]);
});

test("positions of a channels-last input take their channels along", async () => {
  const last = float32([1, 2, 2, 2], [1, 2, 0, 1, 2, 0, 1, 1]); // x with its channels last
  const found = await deletion.measure(
    { map: phi, input: { tensor: last, space: [1, 2] }, scorer: linear([1, 1, 1, -1, 3, 1, 1, 2]) },
    { baseline: constantBaseline(last, 0), randomSeeds: [] },
  );
  expect(found.curve.scores).toEqual([11, 5, 2, -1, 0]);
});

test("fewer steps than positions: the bounds are rounded and the area goes by the real fractions", async () => {
  const tensor = float32([1, 1, 5], [1, 1, 1, 1, 1]);
  const found = await deletion.measure(
    { map: float32([5], [5, 4, 3, 2, 1]), input: { tensor, space: [2] }, scorer: linear([16, 8, 4, 2, 1]) },
    { baseline: constantBaseline(tensor, 0), steps: 2, randomSeeds: [] },
  );
  expect(found.curve).toMatchObject({ fractions: [0, 0.6, 1], scores: [31, 3, 0] });
  expect(found.value).toBeCloseTo(0.6 * 17 + 0.4 * 1.5, 12);
});

test("a constant map has no value and says why; one with many ties is told", async () => {
  const constant = await deletion.measure(
    { map: float32([2, 2], [0.5, 0.5, 0.5, 0.5]), input, scorer: linear(weights) },
    { baseline, randomSeeds: [] },
  );
  expect(constant.value).toBeNaN();
  expect(constant.reason).toMatch(/constant/);
  const tied = await deletion.measure(
    { map: float32([2, 2], [1, 0, 0, 0]), input, scorer: linear(weights) },
    { baseline },
  );
  expect(tied.warnings).toEqual([expect.stringMatching(/75 % of the positions share/)]);
});

test("a map that doesn't fit, or isn't finite, is refused", async () => {
  const measure = (map: Tensor) => deletion.measure({ map, input, scorer: linear(weights) }, { baseline });
  await expect(measure(float32([2, 3], [1, 2, 3, 4, 5, 6]))).rejects.toThrow(/map of shape \[2, 3\]/);
  await expect(measure(float32([2, 2], [1, Number.NaN, 0, 0]))).rejects.toThrow(/NaN at position 1/);
  await expect(deletion.measure({ map: phi, input, scorer: linear(weights) }, { baseline: phi })).rejects.toThrow(
    /one shape/,
  );
});

test("an abort takes effect between runs", async () => {
  const stop = new AbortController();
  const scorer = linear(weights, 1);
  const work = deletion.measure(
    { map: phi, input, scorer },
    { baseline, signal: stop.signal, onProgress: (done) => done === 2 && stop.abort() },
  );
  await expect(work).rejects.toThrow(/interrupted/);
  expect(scorer.runs).toEqual([1, 1]);
});

// A volume through ONNX Runtime: two "voxels" carry class 1, softmax at the end.
const volume = tinyModel({ x: ["n", 1, 2, 3, 4] }, (op, { x: given }) => {
  const at = (index: number, value: number) => Array.from({ length: 24 }, (_, i) => (i === index ? value : 0));
  const table = op.constant(float32([2, 24], [...at(23, 0), ...at(5, 2).map((v, i) => v + at(17, 1)[i]!)]));
  const flat = op.node("Flatten", [given!], { axis: 1 })[0]!;
  const scores = named(op, op.node("Gemm", [flat, table], { transB: 1 })[0]!, "scores");
  return { p: op.softmax(scores, 1) };
});

test("a 3-D network: the probability falls step by step as its two voxels go", async () => {
  const tensor = float32([1, 1, 2, 3, 4], new Array(24).fill(1));
  const scorer = await createScorer(volume, { kind: "class", index: 1 }, tensor);
  try {
    expect(scorer).toMatchObject({ quantity: "probability", space: [2, 3, 4], batch: 32 });
    const map = float32(
      [1, 2, 3, 4],
      Array.from({ length: 24 }, (_, i) => (i === 5 ? 1 : i === 17 ? 0.5 : 0)),
    );
    const found = await deletion.measure(
      { map, input: { tensor, space: scorer.space }, scorer },
      { baseline: constantBaseline(tensor, 0), randomSeeds: [] },
    );
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    expect(found.curve.scores[0]).toBeCloseTo(sigmoid(3), 6);
    expect(found.curve.scores[1]).toBeCloseTo(sigmoid(1), 6);
    for (const score of found.curve.scores.slice(2)) expect(score).toBeCloseTo(0.5, 6);
    expect(found.value).toBeCloseTo((sigmoid(3) / 2 + sigmoid(1) + 22 * 0.5 + 0.25) / 24, 6);
  } finally {
    await scorer.close();
  }
});

test("a model whose batch is fixed is filled up, and without an activation the score itself is told", async () => {
  const fixed = tinyModel({ x: [2, 1, 1, 3] }, (op, { x: given }) => ({
    y: op.node(
      "Gemm",
      [op.node("Flatten", [given!], { axis: 1 })[0]!, op.constant(float32([3, 2], [1, 0, 2, 0, 4, 1]))],
      {},
    )[0]!,
  }));
  const tensor = float32([1, 1, 1, 3], [1, 1, 1]);
  const scorer = await createScorer(fixed, { kind: "class", index: 0 }, tensor);
  try {
    expect(scorer).toMatchObject({ quantity: "score", batch: 2 });
    expect(await scorer.score(tensor)).toEqual([7]);
    expect(await scorer.score(float32([2, 1, 1, 3], [1, 1, 1, 0, 1, 0]))).toEqual([7, 2]);
    const found = await insertion.measure(
      { map: float32([1, 3], [1, 2, 3]), input: { tensor, space: scorer.space }, scorer },
      { baseline: constantBaseline(tensor, 0), randomSeeds: [] },
    );
    expect(found.curve.scores).toEqual([0, 4, 6, 7]);
  } finally {
    await scorer.close();
  }
});
