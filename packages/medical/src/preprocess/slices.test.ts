import { expect, test } from "vitest";
import { evenSlices, paperSlices, spacedSlices } from "./slices.ts";

test("even: numpy.round(numpy.linspace(0, n - 1, depth)), halves to even", () => {
  expect(evenSlices(10, 4)).toEqual([0, 3, 6, 9]);
  expect(evenSlices(2, 3)).toEqual([0, 0, 1]); // 0.5 to the even side
  expect(evenSlices(4, 3)).toEqual([0, 2, 3]); // 1.5 too
  expect(evenSlices(133, 32)).toHaveLength(32);
  expect(evenSlices(7, 1)).toEqual([3]);
});

test("paper: the middle alone below twice the depth, a stride above, copies below the depth", () => {
  const range = (from: number, to: number, step = 1) =>
    Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
  expect(paperSlices(63, 32)).toEqual(range(16, 47)); // the spec's own example
  expect(paperSlices(100, 32)).toEqual(range(4, 97, 3)); // c = 49, stride 3, k = -15 … 16
  expect(paperSlices(32, 32)).toEqual(range(0, 31));
  // n = 5, depth 8: all of them, and three about c = 2 at stride floor(5 / 3) = 1.
  expect(paperSlices(5, 8)).toEqual([0, 1, 1, 2, 2, 3, 3, 4]);
  expect(paperSlices(4, 8)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
});

test.each([...Array.from({ length: 60 }, (_, i) => i + 1)])(
  "paper: %i slices, any depth: the depth, in range, ascending",
  (n) => {
    for (let depth = 1; depth <= 40; depth++) {
      const found = paperSlices(n, depth);
      expect(found).toHaveLength(depth);
      expect(found[0]).toBeGreaterThanOrEqual(0);
      expect(found.at(-1)).toBeLessThan(n);
      expect(found).toEqual([...found].sort((a, b) => a - b));
    }
  },
);

test("spaced: centred, at least one window, the ends repeated beyond the scan", () => {
  expect(spacedSlices(11, 2.5, 2)).toEqual([0, 2, 5, 8, 10]);
  expect(spacedSlices(3, 1, 5)).toEqual([0, 0, 1, 2, 2]);
});
