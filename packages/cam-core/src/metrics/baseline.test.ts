import { expect, test } from "vitest";
import { formula } from "../testing/tiny-models.ts";
import { blurredBaseline, constantBaseline } from "./baseline.ts";

// scipy 1.17.1: gaussian_filter(x, sigma=(0, 0, 1.5, 1.5), mode="nearest", radius=(0, 0, 2, 2))
test("the blur is scipy's Gaussian with the edge repeated", () => {
  const input = formula([1, 2, 5, 6], (n) => 0.5 + 0.5 * Math.sin(0.9 * n));
  const { data } = blurredBaseline(input, [2, 3], { sigma: 1.5, radius: 2 });
  const values = [...(data as Float32Array)];
  const expected = [0.501670193578345, 0.6400275044025152, 0.7162806693487052];
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 6);
  const last = [0.7153860809110788, 0.6999599270364463, 0.6041931733103546];
  for (const [i, value] of last.entries()) expect(values[57 + i]).toBeCloseTo(value, 6);
  expect(values.reduce((a, b) => a + b)).toBeCloseTo(30.770275214968535, 4);
});

test("a volume is blurred along all three axes, and a constant stays what it is", () => {
  const one = formula([1, 1, 5, 5, 5], (n) => (n === 62 ? 1 : 0));
  const data = blurredBaseline(one, [2, 3, 4], { sigma: 5, radius: 1 }).data as Float32Array;
  // The kernel is [e, 1, e] / (1 + 2 e) with e = exp(−1/50) along each axis.
  const e = Math.exp(-1 / 50);
  expect(data[62]).toBeCloseTo((1 / (1 + 2 * e)) ** 3, 6);
  expect(data[62 - 25 - 5 - 1]).toBeCloseTo((e / (1 + 2 * e)) ** 3, 6);
  const same = blurredBaseline(constantBaseline(one, -0.25), [2, 3, 4], { sigma: 2, radius: 3 }).data as Float32Array;
  for (const value of same) expect(value).toBeCloseTo(-0.25, 6);
});

test("a kernel without a width is refused", () => {
  expect(() =>
    blurredBaseline(
      formula([1, 1, 2, 2], () => 0),
      [2, 3],
      { sigma: 0, radius: 1 },
    ),
  ).toThrow(/sigma above 0/);
});
