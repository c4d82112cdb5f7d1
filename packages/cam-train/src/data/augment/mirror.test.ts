import { float32, type Tensor } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { keyed } from "../../random.ts";
import { type AugmentSpec, augment, parseAugment } from "./index.ts";

/** Channels 0 and 1 of two slices, two rows, three columns: 0 … 11, 100 … 111. */
const input = float32(
  [2, 2, 2, 3],
  [0, 1].flatMap((channel) => Array.from({ length: 12 }, (_, i) => 100 * channel + i)),
);
const mask: Tensor = { dtype: "uint8", shape: [2, 1, 2], data: Uint8Array.of(1, 2, 3, 4) };
const label: Tensor = { dtype: "int64", shape: [], data: BigInt64Array.of(1n) };
const sample = { input, mask, label };
const fields = Object.fromEntries(Object.entries(sample).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));

const mirror = async (axes: number[], seed = 0) =>
  augment(sample, parseAugment([{ kind: "mirror", axes }], fields), keyed(seed));

// By hand. Slices 0 … 5 and 6 … 11; rows of three.
test.each<[string, number[], number[], number[]]>([
  ["slices", [1, 0, 0], [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5], [3, 4, 1, 2]],
  ["rows", [0, 1, 0], [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8], [1, 2, 3, 4]],
  ["columns", [0, 0, 1], [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9], [2, 1, 4, 3]],
  ["all three", [1, 1, 1], [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [4, 3, 2, 1]],
])("%s: every channel, and the mask at its own size", async (_, axes, expected, expectedMask) => {
  const given = [...(input.data as Float32Array)];
  const changed = await mirror(axes);
  expect([...(changed.input!.data as Float32Array)]).toEqual([...expected, ...expected.map((i) => 100 + i)]);
  expect([...(changed.mask!.data as Uint8Array)]).toEqual(expectedMask);
  expect(changed.label).toBe(label);
  expect([...(input.data as Float32Array)]).toEqual(given);
});

test("each axis has its own probability; equal keys, equal samples", async () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 800; seed++) {
    const changed = await mirror([0.5, 0, 0.5], seed);
    expect(await mirror([0.5, 0, 0.5], seed)).toEqual(changed);
    const key = [...(changed.mask!.data as Uint8Array)].join("");
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual(["1234", "2143", "3412", "4321"]);
  for (const count of seen.values()) expect(Math.abs(count - 200)).toBeLessThan(49); // four standard deviations
});

test.each<[string, AugmentSpec[], string]>([
  ["a picture's augmentation", [{ kind: "flip" }], "Finished tensors can be mirrored"],
  [
    "both kinds",
    [{ kind: "mirror", axes: [1, 1, 1] }, { kind: "flip" }],
    "mirror is for finished tensors, flip for pictures",
  ],
  ["other axes", [{ kind: "mirror", axes: [1, 1] }], "mirror has 2 axes of space, the input is float32 [2, 2, 2, 3]"],
])("%s: refused by name", (_, steps, message) => {
  const parse = () => parseAugment(steps, fields);
  try {
    parse();
    expect.unreachable();
  } catch (error) {
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).toContain(message);
  }
});
