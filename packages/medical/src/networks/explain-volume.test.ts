import { float32, type Tensor } from "@camkit/cam-core/data";
import { formula, named, tinyModel } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { explainVolume } from "./explain-volume.ts";
import { openVolumeScorer } from "./score-volume.ts";
import { windowStarts } from "./windows.ts";

/** CovidNet3D's form: convolution, ReLU, global average pool, dense layer with a bias. Input [1, 1, d, 8, 8]. */
function classifier(depth: number | string, stride: number) {
  return tinyModel({ x: [1, 1, depth, 8, 8] }, (op, { x }) => {
    const weight = op.constant(formula([4, 1, 3, 3, 3], (n) => Math.sin(1 + n)));
    const conv = op.conv(x!, weight, { strides: [stride, 2, 2], pads: [1, 1, 1, 1, 1, 1], kernel_shape: [3, 3, 3] });
    const a = named(op, op.relu(conv), "A");
    const pooled = named(op, op.reduceMean(a, { axes: [2, 3, 4], keepdims: false }), "pooled");
    const dense = op.constant(formula([3, 4], (n) => Math.cos(0.7 * n)));
    const scores = op.gemm(pooled, dense, { transB: true });
    return { logits: op.add(scores, op.constant(float32([3], bias))) };
  });
}
const bias = [0.1, -0.2, 0.3];
const volume = (depth: number): Tensor => formula([1, 1, depth, 8, 8], (n) => Math.sin(0.37 * n) + Math.sin(0.011 * n));
const mean = (data: ArrayLike<number>) => Array.from(data).reduce((sum, value) => sum + value, 0) / data.length;

test.each([0, 1, 2])(
  "the paper's identity, class %i: the CAM's mean and the bias are the logit",
  async (classIndex) => {
    const { maps, score, signed } = await explainVolume(classifier(8, 2), volume(8), {
      method: "cam",
      classIndex,
      threads: 1,
    });
    expect(signed).toBe(true);
    expect(maps[0]!.raw.shape).toEqual([4, 4, 4]);
    expect(mean(maps[0]!.raw.data as Float32Array) + bias[classIndex]!).toBeCloseTo(score, 5);
  },
);

test("one window that covers everything is the one pass", async () => {
  const once = await explainVolume(classifier(8, 2), volume(8), { threads: 1 });
  const window = { size: [8, 8, 8] as [number, number, number], overlap: 0.5, weights: "gaussian" as const };
  const slid = await explainVolume(classifier("d", 2), volume(8), { window, threads: 1 });
  expect(slid.windows).toBe(1);
  expect(slid.classIndex).toBe(once.classIndex);
  expect([...slid.logits]).toEqual([...once.logits]);
  expect(slid.maps).toEqual(once.maps);
});

test("windows along the slices: logits are the windows' mean, maps too where windows overlap", async () => {
  const deep = volume(13);
  const window = { size: [8, 8, 8] as [number, number, number], overlap: 0.5, weights: "constant" as const };
  const slid = await explainVolume(classifier(8, 1), deep, { window, threads: 1, classIndex: 1 });
  const starts = windowStarts([13, 8, 8], window).map(([z]) => z);
  expect(starts).toEqual([0, 4, 5]);
  const parts = await Promise.all(
    starts.map((z) => {
      const part = float32([1, 1, 8, 8, 8], (deep.data as Float32Array).subarray(z * 64, (z + 8) * 64));
      return explainVolume(classifier(8, 1), part, { threads: 1, classIndex: 1 });
    }),
  );
  slid.logits.forEach((logit, c) => {
    expect(logit).toBeCloseTo(mean(parts.map((part) => part.logits[c]!)), 5);
  });
  expect(slid.score).toBeCloseTo(slid.logits[1]!, 5);
  expect(slid.maps[0]!.raw.shape).toEqual([13, 8, 8]);
  // Row 3, column 5 lies at 1 and 2 in a grid of four: (3.5 / 2 − 0.5, 5.5 / 2 − 0.5) = (1.25, 2.25).
  const at = (part: number, z: number) => {
    const raw = parts[part]!.maps[0]!.raw.data as Float32Array; // [8, 4, 4]
    const cell = (y: number, x: number) => raw[(z * 4 + y) * 4 + x]!;
    const row = (y: number) => 0.75 * cell(y, 2) + 0.25 * cell(y, 3);
    return 0.75 * row(1) + 0.25 * row(2);
  };
  const found = (z: number) => (slid.maps[0]!.raw.data as Float32Array)[(z * 8 + 3) * 8 + 5]!;
  expect(found(2)).toBeCloseTo(at(0, 2), 5);
  expect(found(6)).toBeCloseTo((at(0, 6) + at(1, 2) + at(2, 1)) / 3, 5);
  expect(found(12)).toBeCloseTo(at(2, 7), 5);
});

test("windows that would answer differently are explained for the class that wins in the mean", async () => {
  const model = tinyModel({ x: [1, 1, 2, 4, 4] }, (op, { x }) => {
    const a = named(op, op.relu(op.concat([x!, op.neg(x!)], 1)), "A");
    return { logits: op.reduceMean(a, { axes: [2, 3, 4], keepdims: false }) };
  });
  // The first window says class 0 by 1, the second class 1 by 3.
  const data = formula([1, 1, 4, 4, 4], (n) => (n < 32 ? 1 : -3));
  const window = { size: [2, 4, 4] as [number, number, number], overlap: 0, weights: "constant" as const };
  const found = await explainVolume(model, data, { window, threads: 1, method: "grad-cam" });
  expect(found.classIndex).toBe(1);
  expect(found.score).toBeCloseTo(1.5, 6);
  const map = found.maps[0]!.raw.data as Float32Array;
  expect(Math.max(...map.subarray(0, 32))).toBe(0);
  expect(Math.min(...map.subarray(32))).toBeGreaterThan(0);
});

test("one cell along the slices: it is said", async () => {
  const { notes } = await explainVolume(classifier(2, 2), volume(2), { threads: 1 });
  expect(notes.join()).toMatch(/one cell along the 2 slices/);
  const deep = await explainVolume(classifier(8, 2), volume(8), { threads: 1 });
  expect(deep.notes).toEqual([]);
});

test("a batch that the graph fixes at more than one, and windows of another size than its own, are refused by name", async () => {
  const four = tinyModel({ x: [4, 1, 8, 8, 8] }, (op, { x }) => ({
    logits: op.reduceMean(named(op, op.relu(op.concat([x!, op.neg(x!)], 1)), "A"), {
      axes: [2, 3, 4],
      keepdims: false,
    }),
  }));
  await expect(explainVolume(four, volume(8), { threads: 1 })).rejects.toThrow(
    'the model\'s input "x" takes [4, 1, 8, 8, 8], and was to be given [1, 1, 8, 8, 8]',
  );
  const window = { size: [4, 8, 8] as [number, number, number], overlap: 0, weights: "constant" as const };
  await expect(explainVolume(classifier(8, 2), volume(8), { threads: 1, window })).rejects.toMatchObject({
    code: "input",
    hint: expect.stringMatching(/leave slidingWindow.size to it/),
  });
});

test("scored without maps, a volume gets the same scores, by one session for all of them", async () => {
  const window = { size: [8, 8, 8] as [number, number, number], overlap: 0.5, weights: "constant" as const };
  const model = classifier(8, 1);
  const scorer = await openVolumeScorer(model, { window, threads: 1 });
  try {
    for (const depth of [8, 13]) {
      const { logits } = await explainVolume(model, volume(depth), { window, threads: 1, classIndex: 1 });
      expect([...(await scorer.score(volume(depth)))]).toEqual([...logits].map((logit) => expect.closeTo(logit, 5)));
    }
  } finally {
    await scorer.close();
  }
});
