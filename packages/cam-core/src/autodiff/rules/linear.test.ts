import { expect, test } from "vitest";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference } from "../../testing/vjp-at.ts";

test.each([1, 3])("MatMul: any batch and length, batch %i", async (n) => {
  const random = rng(n);
  const tokens = { inputs: [random.normal([n, 5, 4]), random.normal([4, 3])] };
  expect(await dynamicDifference("MatMul", tokens, [["n", "t", 4], undefined])).toBeLessThan(1e-5);
  expect(
    await dynamicDifference("MatMul", tokens, [
      [null, null, null],
      [null, null],
    ]),
  ).toBeLessThan(1e-5);
  const heads = { inputs: [random.normal([n, 2, 5, 4]), random.normal([1, 2, 4, 5])] };
  expect(
    await dynamicDifference("MatMul", heads, [
      ["n", 2, "t", 4],
      ["m", 2, 4, "t"],
    ]),
  ).toBeLessThan(1e-5);
});

test.each([1, 3])("Gemm: any batch, batch %i", async (n) => {
  const random = rng(n);
  const head = {
    inputs: [random.normal([n, 4]), random.normal([3, 4]), random.normal([3])],
    attributes: { transB: 1 },
  };
  expect(await dynamicDifference("Gemm", head, [["n", 4], undefined, undefined])).toBeLessThan(1e-5);
});
