import { expect, test } from "vitest";
import { float32, int64, numbersIn, toHalf } from "./tensor.ts";

test("the end of int64, which a double can't hold, stays the end", () => {
  // Exporters write "to the end" as INT64_MAX = 2⁶³ - 1; read as a double it is 2⁶³, which would wrap to the most negative.
  expect(int64([2], [2 ** 63, -(2 ** 63)]).data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
});

// Bit patterns by numpy 2.4: np.float32(v).astype(np.float16).view(np.uint16).
test("half precision rounds as IEEE 754 says, and is read back", () => {
  const cases: [number, number][] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2.5, 0xc100],
    [0.1, 0x2e66],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -25, 0x0001],
    [1.00048828125, 0x3c00],
    [1.00146484375, 0x3c02],
    [3.14159274, 0x4248],
  ];
  const half = toHalf(
    float32(
      [cases.length],
      cases.map(([value]) => value),
    ),
  );
  expect([...(half.data as Uint16Array)]).toEqual(cases.map(([, bits]) => bits));
  for (const [i, value] of numbersIn(half).entries())
    if (Math.abs(cases[i]![0]) < 65520)
      expect(Math.abs(value - cases[i]![0])).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(cases[i]![0]) * 2 ** -11));
  expect(toHalf(float32([1], [Number.NaN])).data[0]).toBe(0x7e00);
  expect(numbersIn({ dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3fc0, 0xc000) })).toEqual([1.5, -2]);
});
