import { describe, expect, test } from "vitest";
import { codesIn, type NarrowType, numbersOfCodes, packed, rangeOf } from "./narrow.ts";

describe("elements of a few bits", () => {
  test("the first lies in the lowest bits", () => {
    expect(numbersOfCodes("int4", Uint8Array.of(0x8f, 0x07), 3)).toEqual([-1, -8, 7]);
    expect(numbersOfCodes("uint4", Uint8Array.of(0x8f, 0x07), 3)).toEqual([15, 8, 7]);
    expect(numbersOfCodes("uint2", Uint8Array.of(0b11100100, 0b01), 5)).toEqual([0, 1, 2, 3, 1]);
    expect(numbersOfCodes("int2", Uint8Array.of(0b11100100), 4)).toEqual([0, 1, -2, -1]);
  });

  test.each(["int4", "uint2", "float8e5m2"] as const)("%s: taken apart and put together again", (dtype) => {
    const bytes = Uint8Array.of(0x12, 0xfe, 0x30);
    const count = { int4: 6, uint2: 12, float8e5m2: 3 }[dtype];
    expect(packed(dtype, codesIn(dtype, bytes, count))).toEqual(bytes);
  });
});

// ml_dtypes 0.6: np.array([codes], np.uint8).view(dtype).astype(float)
test.each<[NarrowType, number[], number[]]>([
  ["float8e4m3fn", [0x00, 0x80, 0x01, 0x08, 0x38, 0xc0, 0x7e, 0x7f], [0, -0, 2 ** -9, 2 ** -6, 1, -2, 448, Number.NaN]],
  ["float8e4m3fnuz", [0x00, 0x01, 0x08, 0x40, 0xff, 0x80], [0, 2 ** -10, 2 ** -7, 1, -240, Number.NaN]],
  [
    "float8e5m2",
    [0x01, 0x04, 0x3c, 0xfb, 0x7c, 0xfc, 0x7d],
    [2 ** -16, 2 ** -14, 1, -57344, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  ],
  ["float8e5m2fnuz", [0x01, 0x04, 0x40, 0xff, 0x80], [2 ** -17, 2 ** -15, 1, -57344, Number.NaN]],
  ["float8e8m0", [0x00, 0x7f, 0x80, 0xff], [2 ** -127, 1, 2, Number.NaN]],
])("%s", (dtype, codes, numbers) => {
  expect(numbersOfCodes(dtype, Uint8Array.from(codes), codes.length)).toEqual(numbers);
});

test("float4e2m1", () => {
  const all = Uint8Array.from({ length: 8 }, (_, i) => 2 * i + 16 * (2 * i + 1));
  const half = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  expect(numbersOfCodes("float4e2m1", all, 16)).toEqual([...half, ...half.map((value) => -value)]);
});

test.each(["int2", "uint4", "float4e2m1", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"] as const)(
  "%s: its ends are the ends of all that its codes stand for",
  (dtype) => {
    const bits = dtype === "int2" ? 2 : 4;
    const count = dtype.startsWith("float8") ? 256 : 2 ** bits;
    const codes = Uint8Array.from({ length: count }, (_, i) => i);
    const all = dtype.startsWith("float8") ? codes : packed(dtype, codes);
    const finite = numbersOfCodes(dtype, all, count).filter(Number.isFinite);
    expect([Math.min(...finite), Math.max(...finite)]).toEqual(rangeOf(dtype));
  },
);
