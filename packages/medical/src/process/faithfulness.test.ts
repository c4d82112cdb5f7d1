import { float32, type Tensor } from "@camkit/cam-core/data";
import { formula, tinyModel } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { measureFaithfulness } from "./faithfulness.ts";

/** Input [1, 1, 4, 5, 6], all 1 where the baseline is 0: a score that counts says how much of the input is there. */
const space = [4, 5, 6];
const cells = 120;
const input: Tensor = float32([1, 1, ...space], new Float32Array(cells).fill(1));
const map = formula(space, (n) => Math.sin(1 + n) ** 2);
const model = tinyModel({ x: [1, 1, ...space] }, (op, { x }) => {
  const pooled = op.reduceMean(op.relu(x!), { axes: [2, 3, 4], keepdims: false });
  return { logits: op.gemm(pooled, op.constant(float32([2, 1], [0, 1])), { transB: true }) };
});
const given = { model, classIndex: 1, input, map, baseline: { value: 0, words: "nothing" } };

test("curves count what is there: deletion falls, insertion rises, in random orders too, and both have the same of these", async () => {
  const seen: number[] = [];
  const found = await measureFaithfulness({
    ...given,
    names: ["deletion", "insertion"],
    explain: async () => map,
    openWindows: async () => ({
      score: async ({ data }) => {
        const share = (data as Float32Array).reduce((sum, value) => sum + value, 0) / cells;
        seen.push(share);
        return Float32Array.of(0, share);
      },
      close: async () => {},
    }),
  });
  const [gone, back] = [found.deletion!, found.insertion!];
  expect(gone.quantity).toBe("score");
  for (const curve of [gone.curve, gone.random!])
    curve.fractions.forEach((fraction, i) => {
      expect(curve.scores[i]).toBeCloseTo(1 - fraction, 6);
    });
  for (const curve of [back.curve, back.random!])
    curve.fractions.forEach((fraction, i) => {
      expect(curve.scores[i]).toBeCloseTo(fraction, 6);
    });
  expect(back.random!.fractions[0]).toBe(0);
  expect(back.random!.area).toBeCloseTo(0.5, 6);
  // Three curves of 21 points walked, of which the first and the last are the same two inputs in all.
  expect(seen).toHaveLength(3 * 19 + 2);
});

test("an insertion alone has a random order of its own", async () => {
  const { insertion, deletion } = await measureFaithfulness({
    ...given,
    names: ["insertion"],
    explain: async () => map,
    threads: 1,
  });
  expect(deletion).toBeUndefined();
  const { fractions, scores } = insertion!.random!;
  fractions.forEach((fraction, i) => {
    expect(scores[i]).toBeCloseTo(fraction, 5);
  });
});
