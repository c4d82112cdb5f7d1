import { expect, test } from "vitest";
import { fillPadding, type Rescale, rescale } from "./hounsfield.ts";

const how = (more: Partial<Rescale> = {}): Rescale => ({
  rescaleSlope: 1,
  rescaleIntercept: -1024,
  pixelPaddingValue: undefined,
  pixelPaddingRangeLimit: undefined,
  ...more,
});

test("HU = stored · slope + intercept", () => {
  const into = new Int16Array(3);
  expect(rescale(Uint16Array.of(0, 1024, 4095), into, how({ rescaleSlope: 2 }))).toEqual({
    lowest: -1024,
    padded: 0,
    fits: true,
  });
  expect(Array.from(into)).toEqual([-1024, 1024, 7166]);
});

test("a slope that isn't whole needs float32", () => {
  expect(rescale(Uint16Array.of(7), new Int16Array(1), how({ rescaleSlope: 0.5 })).fits).toBe(false);
  const into = new Float32Array(2);
  expect(rescale(Uint16Array.of(7, 8), into, how({ rescaleSlope: -0.5 }))).toMatchObject({ lowest: -1028, fits: true });
  expect(Array.from(into)).toEqual([-1027.5, -1028]);
});

test("values beyond int16 don't fit; -32768 means padding there", () => {
  expect(rescale(Uint16Array.of(33792), new Int16Array(1), how()).fits).toBe(false);
  expect(rescale(Uint16Array.of(33791), new Int16Array(1), how()).fits).toBe(true);
  expect(rescale(Int16Array.of(-31744), new Int16Array(1), how()).fits).toBe(false);
  expect(rescale(Int16Array.of(-31743), new Int16Array(1), how()).fits).toBe(true);
});

test.each([Int16Array, Float32Array])("padding is marked, does not count, and gets the lowest value: %o", (Values) => {
  const into = new Values(5);
  const padding = how({ pixelPaddingValue: -2000 });
  expect(rescale(Int16Array.of(-2000, 24, 0, -1999, -2000), into, padding)).toEqual({
    lowest: -3023,
    padded: 2,
    fits: true,
  });
  fillPadding(into, -3023);
  expect(Array.from(into)).toEqual([-3023, -1000, -1024, -3023, -3023]);
});

test("a range of padding, given in either order", () => {
  const into = new Int16Array(4);
  for (const [pixelPaddingValue, pixelPaddingRangeLimit] of [
    [-2000, -1500],
    [-1500, -2000],
  ] as const)
    expect(
      rescale(Int16Array.of(-2000, -1700, -1500, -1499), into, how({ pixelPaddingValue, pixelPaddingRangeLimit })),
    ).toEqual({
      lowest: -2523,
      padded: 3,
      fits: true,
    });
});

test("nothing but padding", () => {
  const result = rescale(Int16Array.of(-2000), new Int16Array(1), how({ pixelPaddingValue: -2000 }));
  expect(result).toEqual({ lowest: Number.POSITIVE_INFINITY, padded: 1, fits: true });
});
