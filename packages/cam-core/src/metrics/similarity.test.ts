import { expect, test } from "vitest";
import { spearman } from "./spearman.ts";
import { ssim } from "./ssim.ts";

const wave = (length: number, step: number, start: number) =>
  Float32Array.from({ length }, (_, i) => 0.5 + 0.5 * Math.sin(step * i + start));

// scipy 1.17.1: spearmanr
test("rank correlation with ties is scipy's", () => {
  const a = Float32Array.of(0.1, 0.4, 0.4, -1.5, 2, 0.4, 0, 0, 3, -0);
  const b = Float32Array.of(1, 0.5, 2, 2, -3, 0.5, 0.25, 1, 7, 0);
  expect(spearman(a, b)).toBeCloseTo(0.05643326479831003, 12);
  const u = wave(500, 1.7, 0.1);
  const v = wave(500, 1.3, 0.2).map((value, i) => Math.round(value * 4) / 4 + u[i]!);
  expect(spearman(u, v)).toBeCloseTo(0.6641981447925791, 6);
});

test("ranks don't change under a rising function, turn under a falling one, and a constant has none", () => {
  const a = wave(300, 1.1, 0.3);
  expect(
    spearman(
      a,
      a.map((value) => Math.exp(3 * value)),
    ),
  ).toBeCloseTo(1, 12);
  expect(
    spearman(
      a,
      a.map((value) => -value),
    ),
  ).toBeCloseTo(-1, 12);
  expect(spearman(a, new Float32Array(300))).toBeNaN();
});

// scikit-image 0.26.0: structural_similarity(x, y, data_range=1.0)
test("structural similarity of pictures and volumes is skimage's", () => {
  const x = wave(143, 0.37, 0.1);
  expect(ssim(x, wave(143, 0.31, 0.4), [11, 13])).toBeCloseTo(-0.05360918239291225, 5);
  expect(
    ssim(
      x,
      x.map((value) => value * 0.9 + 0.03),
      [11, 13],
    ),
  ).toBeCloseTo(0.9936350396701268, 5);
  expect(ssim(wave(720, 0.37, 0.1), wave(720, 0.29, 0.4), [8, 9, 10])).toBeCloseTo(0.0006538528056504825, 5);
});

test("a map equals itself, also where an axis is shorter than the window", () => {
  const x = wave(360, 0.37, 0.1);
  expect(ssim(x, x, [4, 9, 10])).toBeCloseTo(1, 12);
  expect(ssim(x, x, [1, 18, 20])).toBeCloseTo(1, 12);
  expect(ssim(x, wave(360, 0.5, 1), [4, 9, 10])).toBeLessThan(0.5);
});
