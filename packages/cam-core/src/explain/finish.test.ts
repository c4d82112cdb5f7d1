import { describe, expect, test } from "vitest";
import { withSession } from "../runtime/session.ts";
import { float32, type Tensor } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { averageMaps, finishMap } from "./finish.ts";

async function finish(raw: Tensor, size?: readonly number[]): Promise<Tensor> {
  const model = tinyModel({ raw: raw.shape }, (op, inputs) => ({
    map: finishMap(op, inputs.raw!, size && op.ints(size)),
  }));
  return (await withSession(model.graph, {}, (session) => session.run({ raw }))).map!;
}

function close(got: Tensor, wanted: readonly number[], tolerance = 1e-5) {
  const list = Array.from(got.data as Float32Array);
  expect(list.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(list[i]! - value), `element ${i}: ${list[i]} for ${value}`).toBeLessThanOrEqual(tolerance);
}

describe("from raw to finished", () => {
  test.each([
    ["all zero", [0, 0, 0, 0], [0, 0, 0, 0]],
    ["all negative", [-1, -2, -3, -4], [0, 0, 0, 0]],
    ["constant and positive", [3, 3, 3, 3], [0, 0, 0, 0]],
    ["one position positive", [-1, 5, -2, 0], [0, 1, 0, 0]],
    ["positive everywhere: the smallest becomes 0", [2, 3, 4, 6], [0, 0.25, 0.5, 1]],
    // (1e-7 − 0) / (1e-7 + 1e-7): the epsilon shows where the map is as small as itself.
    ["as small as the epsilon", [0, 1e-7, 0, 0], [0, 0.5, 0, 0]],
    ["huge", [0, 1e30, 5e29, 0], [0, 1, 0.5, 0]],
  ])("%s", async (_, raw, wanted) => {
    close(await finish(float32([1, 2, 2], raw)), wanted, 1e-6);
    for (const value of (await finish(float32([1, 2, 2], raw), [5, 7])).data) {
      expect(Number.isFinite(value)).toBe(true);
      expect(Number(value) >= 0 && Number(value) <= 1).toBe(true);
    }
  });

  test("samples are scaled apart", async () => {
    close(await finish(float32([3, 2], [1, 3, 100, 300, -5, -5])), [0, 1, 0, 1, 0, 0]);
  });
});

describe("resize: half-pixel, linear, edges held", () => {
  test("2×2 to 4×4", async () => {
    const rows = [0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3];
    close(
      await finish(float32([1, 2, 2], [0, 1, 2, 3]), [4, 4]),
      rows.map((value) => value / 3),
    );
  });

  test("a line: 2 to 4, and 3 to 6 by hand", async () => {
    close(await finish(float32([1, 2], [0, 1]), [4]), [0, 0.25, 0.75, 1]);
    // Centres of 6 over 3 fall at −.25, .25, .75, 1.25, 1.75, 2.25: 0, .25, .75, .75, .25, 0, then scaled by 1/.75.
    close(await finish(float32([1, 3], [0, 1, 0]), [6]), [0, 1 / 3, 1, 1, 1 / 3, 0]);
  });

  test("a volume: 2×2×2 to 4×2×2", async () => {
    const got = await finish(float32([1, 2, 2, 2], [0, 0, 0, 0, 1, 1, 1, 1]), [4, 2, 2]);
    expect(got.shape).toEqual([1, 4, 2, 2]);
    close(
      got,
      [0, 0.25, 0.75, 1].flatMap((value) => [value, value, value, value]),
    );
  });

  test("to a smaller size, one entry of two rows and two columns each: the mean of the middle", async () => {
    // 4 to 2: centres at .5 and 2.5, the means of neighbours; no further smoothing.
    close(await finish(float32([1, 4], [0, 8, 2, 4]), [2]), [1, 0]);
  });

  test("the extremes that the resize loses come back", async () => {
    // A peak between pixels: 3×1 of [0, 1, 0] to 2 gives .25, .25 in the reference's arithmetic, a constant, hence zeros.
    close(await finish(float32([1, 3], [0, 1, 0]), [2]), [0, 0]);
    const got = Array.from(
      (await finish(float32([1, 3, 3], [0, 0, 0, 0, 1, 0.5, 0, 0, 0]), [4, 4])).data as Float32Array,
    );
    expect(Math.max(...got)).toBeCloseTo(1, 5);
    expect(Math.min(...got)).toBe(0);
  });
});

test("several layers: the mean, scaled again; one alone stays as it is", async () => {
  const model = tinyModel({ a: [1, 3], b: [1, 3] }, (op, { a, b }) => ({
    both: averageMaps(op, [a!, b!]),
    one: averageMaps(op, [a!]),
  }));
  const [a, b] = [float32([1, 3], [0, 1, 0.5]), float32([1, 3], [0, 0.5, 1])];
  const out = await withSession(model.graph, {}, (session) => session.run({ a, b }));
  close(out.both!, [0, 1, 1]);
  close(out.one!, [0, 1, 0.5]);
});
