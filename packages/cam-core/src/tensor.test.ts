import { expect, test } from "vitest";
import { int64 } from "./tensor.ts";

test("the end of int64, which a double can't hold, stays the end", () => {
  // Exporters write "to the end" as INT64_MAX = 2⁶³ - 1; read as a double it is 2⁶³, which would wrap to the most negative.
  expect(int64([2], [2 ** 63, -(2 ** 63)]).data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
});
