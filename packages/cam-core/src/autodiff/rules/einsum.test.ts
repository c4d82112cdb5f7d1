import { expect, test } from "vitest";
import { float32 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

test("what a diagonal gets is laid on the diagonal", async () => {
  const [x, b] = [float32([2, 2], [1, 2, 3, 4]), float32([2], [5, 6])];
  // y = 1·5 + 4·6
  const { y, dx } = await vjpAt("Einsum", { inputs: [x, b], attributes: { equation: "ii,i" } });
  expect([...(y.data as Float32Array)]).toEqual([29]);
  expect([...(dx[0]!.data as Float32Array)]).toEqual([5, 0, 0, 6]);
  expect([...(dx[1]!.data as Float32Array)]).toEqual([1, 4]);
  const shapes = [["n", "n"], ["n"]];
  expect(await dynamicDifference("Einsum", { inputs: [x, b], attributes: { equation: "ii,i->i" } }, shapes)).toBe(0);
});

test("letters that only one operand has are spread over again", async () => {
  const inputs = [float32([2, 2], [1, 2, 3, 4]), float32([3], [5, 6, 7])];
  const { dx } = await vjpAt("Einsum", { inputs, attributes: { equation: "ij,k->i" } });
  // y[i] = (Σ_j a[i,j]) (Σ_k b[k]): 5 + 6 + 7 = 18 for each a, 1 + 2 + 3 + 4 = 10 for each b
  expect([...(dx[0]!.data as Float32Array)]).toEqual([18, 18, 18, 18]);
  expect([...(dx[1]!.data as Float32Array)]).toEqual([10, 10, 10]);
});

test.each([1, 3])("any batch and length, batch %i", async (n) => {
  const random = rng(n);
  const inputs = [random.normal([n, 2, 5, 4]), random.normal([n, 2, 5, 4])];
  const attributes = { equation: "bhqd,bhkd->bhqk" };
  const shapes = [
    ["n", 2, "t", 4],
    ["n", 2, "t", 4],
  ];
  expect(await dynamicDifference("Einsum", { inputs, attributes }, shapes)).toBeLessThan(1e-5);
  const summed = { inputs: [random.normal([n, 5, 4])], attributes: { equation: "...ij->...i" } };
  expect(await dynamicDifference("Einsum", summed, [["n", "h", "w"]])).toBeLessThan(1e-5);
});
