import { describe, expect, test } from "vitest";
import { bool, float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);
const opset = 23;

describe("Attention", () => {
  const random = rng(3);
  const [q, k, v] = [random.normal([2, 4, 3, 8]), random.normal([2, 4, 5, 8]), random.normal([2, 4, 5, 6])];
  const cotangent = random.normal([2, 4, 3, 6]);

  test("one query, two keys, by hand", async () => {
    // P = softmax(0, ln 3) = (1/4, 3/4); y = 3/4·8 = 6; dS = P (dP - y) = (1/4·(0 - 6), 3/4·(8 - 6)) = (-1.5, 1.5)
    const row = (...values: number[]) => float32([1, 1, values.length, 1], values);
    const { y, dx } = await vjpAt("Attention", { inputs: [row(1), row(0, Math.log(3)), row(0, 8)], opset });
    const rounded = (tensor: Tensor | undefined) => numbers(tensor).map((value) => Number(value.toFixed(5)));
    expect(rounded(y)).toEqual([6]);
    expect(rounded(dx[0])).toEqual([Number((1.5 * Math.log(3)).toFixed(5))]);
    expect(rounded(dx[1])).toEqual([-1.5, 1.5]);
    expect(rounded(dx[2])).toEqual([0.25, 0.75]);
  });

  // The second query may attend to nothing: y = 0 there, and nothing flows back, as in PyTorch.
  const may = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1];
  const asBool = bool([3, 5], may.map(Boolean));
  const asFloat = float32(
    [3, 5],
    may.map((one) => (one ? 0.5 : Number.NEGATIVE_INFINITY)),
  );

  test.each([
    ["bool", asBool, 0],
    ["float", asFloat, 0],
    ["bool, causal", asBool, 1],
    ["float, causal", asFloat, 1],
  ])("a query that may attend to nothing leaves the others alone: %s", async (_, mask, is_causal) => {
    const sample = { inputs: [q, k, v, mask], attributes: { is_causal }, opset };
    const { y, dx } = await vjpAt("Attention", sample, { cotangent });
    const silenced = {
      ...cotangent,
      data: (cotangent.data as Float32Array).map((value, i) => (Math.floor(i / 6) % 3 === 1 ? 0 : value)),
    };
    const others = await vjpAt("Attention", sample, { cotangent: silenced });
    for (const i of mask === asFloat ? [0, 1, 2, 3] : [0, 1, 2]) {
      expect(numbers(dx[i]).every(Number.isFinite)).toBe(true);
      expect(numbers(dx[i])).toEqual(numbers(others.dx[i]));
    }
    expect(numbers(y).slice(6, 12)).toEqual(Array(6).fill(0));
    expect(numbers(dx[0]).slice(8, 16).map(Math.abs)).toEqual(Array(8).fill(0));
    const ofMask = mask === asFloat ? numbers(dx[3]).filter((_, at) => may[at] === 0) : [];
    expect(ofMask.every((value) => value === 0)).toBe(true);
  });

  test("padded keys: their number says what a mask would", async () => {
    const lengths = int64([2], [5, 4]);
    for (const is_causal of [0, 1]) {
      // Causal, the last query stands at the last key that isn't padding.
      const allowed = [5, 4].flatMap((n) =>
        [0, 1, 2].flatMap((i) => [0, 1, 2, 3, 4].map((j) => j < n && (is_causal === 0 || j <= i + n - 3))),
      );
      const masked = { inputs: [q, k, v, bool([2, 1, 3, 5], allowed)], opset: 24 };
      const counted = {
        inputs: [q, k, v, undefined, undefined, undefined, lengths],
        attributes: { is_causal },
        opset: 24,
      };
      const [a, b] = [
        await vjpAt("Attention", masked, { cotangent }),
        await vjpAt("Attention", counted, { cotangent }),
      ];
      for (const i of [0, 1, 2]) expect(numbers(b.dx[i])).toEqual(numbers(a.dx[i]));
    }
  });

  test("scores far apart give no NaN", async () => {
    const large = { ...q, data: (q.data as Float32Array).map((value) => value * 1e4) };
    const { dx } = await vjpAt(
      "Attention",
      { inputs: [large, k, v], attributes: { softcap: { float: 30 } }, opset },
      { cotangent },
    );
    for (const i of [0, 1, 2]) expect(numbers(dx[i]).every(Number.isFinite)).toBe(true);
  });

  const mask = random.normal([2, 1, 3, 5]);
  const packed = [random.normal([2, 3, 32]), random.normal([2, 5, 16]), random.normal([2, 5, 12])];
  const pair = [random.normal([2, 2, 5, 8]), random.normal([2, 2, 5, 6])];
  test.each<[string, (Tensor | undefined)[], Record<string, number>, string[][]]>([
    [
      "plain",
      [q, k, v],
      {},
      [
        ["n", "h", "l", "d"],
        ["n", "h", "t", "d"],
        ["n", "h", "t", "e"],
      ],
    ],
    [
      "shared key heads, causal",
      [q, ...pair],
      { is_causal: 1 },
      [
        ["n", "h", "l", "d"],
        ["n", "g", "t", "d"],
        ["n", "g", "t", "e"],
      ],
    ],
    [
      "float mask",
      [q, k, v, mask],
      { is_causal: 1 },
      [
        ["n", "h", "l", "d"],
        ["n", "h", "t", "d"],
        ["n", "h", "t", "e"],
        ["n", "m", "l", "t"],
      ],
    ],
    [
      "packed heads",
      packed,
      { q_num_heads: 4, kv_num_heads: 2 },
      [
        ["n", "l", "a"],
        ["n", "t", "b"],
        ["n", "t", "c"],
      ],
    ],
    [
      "a cache, causal",
      [q, k, v, undefined, random.normal([2, 4, 2, 8]), random.normal([2, 4, 2, 6])],
      { is_causal: 1 },
      [
        ["n", "h", "l", "d"],
        ["n", "h", "t", "d"],
        ["n", "h", "t", "e"],
        [],
        ["n", "h", "p", "d"],
        ["n", "h", "p", "e"],
      ],
    ],
  ])("sizes known in the run only: %s", async (_, inputs, attributes, shapes) => {
    const outputs = inputs.length > 4 ? 3 : 1;
    expect(await dynamicDifference("Attention", { inputs, attributes, outputs, opset }, shapes)).toBeLessThan(2e-6);
  });

  test("a cache: past keys and values count as the first ones", async () => {
    // Two of the five stand in the cache; the first query's own position is then the third.
    const cut = (x: Tensor, from: number, to: number, width: number): Tensor => {
      const data = (x.data as Float32Array).filter((_, i) => {
        const at = Math.floor(i / width) % 5;
        return at >= from && at < to;
      });
      return float32([2, 4, to - from, width], [...data]);
    };
    const parts = [cut(k, 2, 5, 8), cut(v, 2, 5, 6), undefined, cut(k, 0, 2, 8), cut(v, 0, 2, 6)];
    const allowed = bool(
      [3, 5],
      [0, 1, 2].flatMap((i) => [0, 1, 2, 3, 4].map((j) => j <= i + 2)),
    );
    const cached = { inputs: [q, ...parts], outputs: 3, attributes: { is_causal: 1 }, opset };
    const a = await vjpAt("Attention", cached, { cotangent });
    const b = await vjpAt("Attention", { inputs: [q, k, v, allowed], opset }, { cotangent });
    const near = (one: readonly number[], other: readonly number[]) =>
      expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(1e-6);
    near(numbers(a.y), numbers(b.y));
    near(numbers(a.dx[0]), numbers(b.dx[0]));
    for (const [own, past, all, width] of [
      [a.dx[1], a.dx[4], b.dx[1], 8],
      [a.dx[2], a.dx[5], b.dx[2], 6],
    ] as const) {
      near(numbers(own), numbers(cut(all!, 2, 5, width)));
      near(numbers(past), numbers(cut(all!, 0, 2, width)));
    }
  });

  test("probabilities of a query that may attend to nothing are 0, and pass nothing back", async () => {
    const attributes = { qk_matmul_output_mode: 3 };
    const sample = { inputs: [q, k, v, asBool], outputs: 4, output: 3, wrt: [0, 1], attributes, opset };
    const scores = random.normal([2, 4, 3, 5]);
    const { y, dx } = await vjpAt("Attention", sample, { cotangent: scores });
    expect(numbers(y).slice(5, 10)).toEqual(Array(5).fill(0));
    expect(numbers(dx[0]).slice(8, 16).map(Math.abs)).toEqual(Array(8).fill(0));
    expect(
      numbers(dx[0])
        .slice(0, 8)
        .some((value) => value !== 0),
    ).toBe(true);
  });

  test("masked scores pass back only what may be attended to", async () => {
    const attributes = { qk_matmul_output_mode: 2 };
    const sample = { inputs: [q, k, v, asBool], outputs: 4, output: 3, wrt: [1], attributes, opset };
    const { dx } = await vjpAt("Attention", sample, { cotangent: float32([2, 4, 3, 5], Array(120).fill(1)) });
    // dK[j] = scale · Σ Q[i] over the queries that may attend to it: of key 0 the first and the third.
    const [first, third] = [numbers(q).slice(0, 8), numbers(q).slice(16, 24)];
    const expected = first.map((value, i) => (value + third[i]!) / Math.sqrt(8));
    for (const [i, value] of numbers(dx[1]).slice(0, 8).entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  test("what has no rule is refused by name", async () => {
    const windowed = { inputs: [q, k, v], attributes: { left_window_size: 2 }, opset: 25 };
    await expect(vjpAt("Attention", windowed)).rejects.toThrow(
      /gradient of Attention at node "the_Attention": a sliding window/,
    );
  });
});
