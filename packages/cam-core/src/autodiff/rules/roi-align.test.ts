import { expect, test } from "vitest";
import { float32, int64 } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";

const sample = (count: number, attributes: Record<string, number | string>) => ({
  inputs: [
    rng(1).normal([2, 3, 5, 6]),
    float32([count, 4], [0.3, 0.7, 4.2, 3.9, 1.1, -0.4, 2.3, 6.8].slice(0, 4 * count)),
    int64([count], Array(count).fill(1)),
  ],
  attributes: { output_height: 2, output_width: 3, ...attributes },
});
const levels = [2, 0].flatMap((ratio) => ["avg", "max"].map((mode) => [ratio, mode] as const));
const open = [undefined, ["regions", 4], ["regions"]] as const;

test.each(levels)(
  "a level that no region falls on has a gradient of zeros: sampling_ratio %i, %s",
  async (sampling_ratio, mode) => {
    const { y, dx } = await vjpAt("RoiAlign", { ...sample(0, { sampling_ratio, mode }), wrt: [0] }, { shapes: open });
    expect(y.shape).toEqual([0, 3, 2, 3]);
    expect(dx[0]!.shape).toEqual([2, 3, 5, 6]);
    expect(new Set(dx[0]!.data as Float32Array)).toEqual(new Set([0]));
  },
);

test.each(levels)(
  "how many regions there are may be known in the run only: sampling_ratio %i, %s",
  async (sampling_ratio, mode) => {
    expect(await dynamicDifference("RoiAlign", { ...sample(2, { sampling_ratio, mode }), wrt: [0] }, [...open])).toBe(
      0,
    );
  },
);
