import { describe, expect, test } from "vitest";
import { float32, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

describe("Conv on sizes that only the run knows", () => {
  const cases: [string, number[], Record<string, number | string | number[]>][] = [
    ["stride 1", [4, 4, 3, 3], { pads: [1, 1, 1, 1] }],
    ["strided", [5, 4, 3, 3], { strides: [2, 3], pads: [1, 0, 1, 2] }],
    ["depthwise, strided", [4, 1, 3, 3], { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["groups", [6, 2, 3, 2], { group: 2, strides: [2, 2] }],
    ["SAME_UPPER, strided", [5, 4, 3, 3], { auto_pad: "SAME_UPPER", strides: [2, 2] }],
    ["SAME_LOWER, strided, a wide kernel", [4, 2, 6, 5], { auto_pad: "SAME_LOWER", strides: [2, 3], group: 2 }],
    ["a wide kernel", [3, 4, 7, 5], { pads: [3, 2, 3, 2], strides: [2, 1] }],
  ];
  test.each(cases)("%s", async (_, weights, attributes) => {
    const random = rng(3);
    for (const [n, height, width] of [
      [1, 8, 9],
      [2, 11, 6],
    ] as const) {
      const inputs = [random.normal([n, 4, height, width]), random.normal(weights), random.normal([weights[0]!])];
      const shapes = [["n", 4, "h", "w"], undefined, undefined];
      expect(await dynamicDifference("Conv", { inputs, attributes }, shapes)).toBeLessThan(1e-4);
    }
  });
  test("a batch of unknown size alone", async () => {
    const random = rng(4);
    const inputs = [random.normal([3, 4, 7, 7]), random.normal([4, 2, 3, 3])];
    const attributes = { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] };
    expect(await dynamicDifference("Conv", { inputs, attributes }, [["n", 4, 7, 7], undefined])).toBeLessThan(1e-4);
  });
});

test("pixels that no window reads get zero", async () => {
  // Windows of two, every third pixel, on seven: (0, 1) and (3, 4); 2, 5 and 6 are never read.
  const inputs = [float32([1, 1, 7], [1, 2, 3, 4, 5, 6, 7]), float32([1, 1, 2], [10, 20])];
  const { dx } = await vjpAt(
    "Conv",
    { inputs, attributes: { strides: [3] } },
    { cotangent: float32([1, 1, 2], [1, 2]) },
  );
  expect([...(dx[0]!.data as Float32Array)]).toEqual([10, 20, 0, 20, 40, 0, 0]);
  expect([...(dx[1]!.data as Float32Array)]).toEqual([1 * 1 + 2 * 4, 1 * 2 + 2 * 5]);
});

test("padding wider than the kernel: the windows outside the input give nothing", async () => {
  const inputs = [float32([1, 1, 2], [1, 2]), float32([1, 1, 1], [3])];
  const cotangent = float32([1, 1, 6], [1, 2, 4, 8, 16, 32]);
  const { dx } = await vjpAt("Conv", { inputs, attributes: { pads: [2, 2] } }, { cotangent });
  expect([...(dx[0]!.data as Float32Array)]).toEqual([12, 24]);
  expect([...(dx[1]!.data as Float32Array)]).toEqual([4 * 1 + 8 * 2]);
});

test("weights of unknown shape are refused by name", async () => {
  const inputs = [float32([1, 1, 2], [1, 2]), float32([1, 1, 1], [3])];
  const shapes = [undefined, [1, 1, "k"]];
  await expect(vjpAt("Conv", { inputs }, { shapes })).rejects.toThrow(/shape of its weights "x1" is not known/);
});

test("large volumes are unfolded in rounds: each sample counts once", async () => {
  // 5·3·(3 + 9)·16·64·128 copies are more than a round holds: two samples, then three, which alone are one round each.
  const size = [3, 16, 64, 128];
  const [x, w, dy] = [
    [5, ...size],
    [3, 1, 3, 3, 3],
    [5, ...size],
  ].map((shape) => rng(5).normal(shape));
  const attributes = { group: 3, pads: [1, 1, 1, 1, 1, 1] };
  const each = 3 * 16 * 64 * 128;
  const weights = async (begin: number, end: number) => {
    const part = ({ data }: Tensor) =>
      float32([end - begin, ...size], (data as Float32Array).subarray(begin * each, end * each));
    const sample = { inputs: [part(x!), w!], attributes, wrt: [1] };
    const { dx, nodes } = await vjpAt("Conv", sample, { cotangent: part(dy!) });
    return { values: dx[1]!.data as Float32Array, convs: nodes.filter((opType) => opType === "Conv").length };
  };
  const [whole, first, rest] = [await weights(0, 5), await weights(0, 2), await weights(2, 5)];
  expect([whole.convs, first.convs, rest.convs]).toEqual([4, 2, 2]);
  const scale = Math.max(...whole.values.map(Math.abs));
  for (const [i, value] of whole.values.entries())
    expect(Math.abs(value - first.values[i]! - rest.values[i]!) / scale).toBeLessThan(1e-5);
});
