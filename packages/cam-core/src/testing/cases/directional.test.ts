import { describe, expect, test } from "vitest";
import { rng } from "../rng.ts";
import { checkDirections, type Directional } from "./directional.ts";

/** A function of each number by itself, at x, with what a rule says of its derivative there. */
function elementwise(
  f: (x: number) => number,
  x: readonly number[],
  rule: readonly number[],
  given: Partial<Directional> = {},
) {
  const random = rng(3);
  const draw = () => x.map(() => random.next() - 0.5);
  const v = x.map(() => 1);
  const at = Float64Array.from(x);
  const run = async (moved: Float32Array | Float64Array) => Float64Array.from(moved, f);
  return checkDirections({ x: at, f: run, v, dx: rule, precision: "float64", kind: "kinked", ...given }, [
    draw(),
    draw(),
    draw(),
  ]);
}

const numbers = [-1.5, -0.25, 0.5, 2];

describe("a rule that is the derivative", () => {
  test.each<[string, (x: number) => number, (x: number) => number]>([
    ["sin", Math.sin, Math.cos],
    ["exp", Math.exp, Math.exp],
    ["relu", (x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
    ["x / (1 + |x|)", (x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)) ** 2],
  ])("%s agrees, and 0.1 %% beside it differs", async (_, f, derivative) => {
    expect((await elementwise(f, numbers, numbers.map(derivative))).verdict).toBe("agrees");
    const wrong = numbers.map((x) => 1.001 * derivative(x));
    expect((await elementwise(f, numbers, wrong)).verdict).toBe("differs");
    // In one of the numbers alone.
    const once = numbers.map((x, i) => derivative(x) * (i === 2 ? 1.001 : 1));
    expect((await elementwise(f, numbers, once)).verdict).toBe("differs");
  });

  test("linear, at a step of 1", async () => {
    expect((await elementwise((x) => 3 * x, numbers, [3, 3, 3, 3], { kind: "linear" })).verdict).toBe("agrees");
    expect((await elementwise((x) => 3 * x, numbers, [3, 3, 3, 3.003], { kind: "linear" })).verdict).toBe("differs");
  });

  test("float32, its rounding included", async () => {
    const f = (x: number) => Math.fround(Math.tanh(x) + 1);
    const rule = numbers.map((x) => 1 - Math.tanh(x) ** 2);
    const single = { x: Float32Array.from(numbers), precision: "float32" } as const;
    expect((await elementwise(f, numbers, rule, single)).verdict).toBe("agrees");
    const wrong = rule.map((value) => 1.001 * value);
    expect((await elementwise(f, numbers, wrong, single)).verdict).not.toBe("agrees");
  });
});

describe("where there is no derivative", () => {
  const relu = (x: number) => Math.max(x, 0);

  test("on a kink the answer lies between the two slopes, and the other numbers are checked all the same", async () => {
    expect(await elementwise(relu, [-1, 0, 1], [0, 0, 1])).toMatchObject({ verdict: "kink", kinks: 1 });
    expect(await elementwise(relu, [-1, 0, 1], [0, 0.25, 1])).toMatchObject({ verdict: "kink", kinks: 1 });
    expect((await elementwise(relu, [-1, 0, 1], [0, 1.1, 1])).verdict).toBe("differs");
    expect((await elementwise(relu, [-1, 0, 1], [0.001, 0, 1])).verdict).toBe("differs");
  });

  test("a jump", async () => {
    const found = await elementwise(Math.floor, [0.3, 2, 4.5], [0, 0, 0]);
    expect(found).toMatchObject({ verdict: "kink", kinks: 1, detail: "a jump" });
  });

  test("the edge of the domain", async () => {
    const found = await elementwise(
      Math.acosh,
      [1, 2, 3],
      [Number.POSITIVE_INFINITY, 1 / Math.sqrt(3), 1 / Math.sqrt(8)],
    );
    expect(found).toMatchObject({ verdict: "edge", kinks: 1 });
  });

  test("a derivative that bends is one", async () => {
    const softsign = (x: number) => x / (1 + Math.abs(x));
    expect((await elementwise(softsign, [-1, 0, 1], [0.25, 1, 0.25])).verdict).toBe("agrees");
    expect((await elementwise(softsign, [-1, 0, 1], [0.25, 1.001, 0.25])).verdict).toBe("differs");
  });
});
