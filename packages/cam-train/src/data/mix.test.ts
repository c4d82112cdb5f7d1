import { float32, int64, type Tensor } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { input, twoClasses } from "../../test/pictures.ts";
import { keyed } from "../random.ts";
import type { Dataset } from "./dataset.ts";
import { openFeeder } from "./feeder.ts";
import { type Mix, mixed, parseMix } from "./mix.ts";
import { openDataset } from "./open.ts";

const mixup = { kind: "mixup", alpha: 1, probability: 1, classes: 2 } as const;

test("mixup: picture and label are the same shares of two samples", () => {
  const batch = { input: float32([3, 2], [0, 10, 100, 110, 200, 210]), label: int64([3], [0, 1, 1]) };
  const { input, label } = mixed(batch, mixup, keyed(3)) as { input: Tensor; label: Tensor };
  const share = (label.data as Float32Array)[0]!; // sample 0 of class 0 with sample 2 of class 1
  expect(share).toBeGreaterThan(0.05);
  expect(share).toBeLessThan(0.95);
  expect(label.shape).toEqual([3, 2]);
  const expected = [share, 1 - share, 1 - share, share, 0, 1]; // 1 (class 1) with 0, 2 with 1
  for (const [i, value] of expected.entries()) expect(label.data[i]).toBeCloseTo(value, 6);
  for (const [i, [own, other]] of (
    [
      [0, 200],
      [100, 0],
      [200, 100],
    ] as const
  ).entries())
    expect(input.data[2 * i]).toBeCloseTo(share * own + (1 - share) * other, 3);
});

test("cutmix: the label's shares are those of the pixels", () => {
  const data = Uint8Array.from({ length: 2 * 6 * 8 }, (_, i) => Number(i >= 48)); // picture 0 all 0, picture 1 all 1
  const batch = { input: { dtype: "uint8", shape: [2, 6, 8, 1], data } as Tensor, label: int64([2], [0, 1]) };
  const seen = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const { input, label } = mixed(batch, { ...mixup, kind: "cutmix" }, keyed(seed)) as {
      input: Tensor;
      label: Tensor;
    };
    const pixels = input.data as Uint8Array;
    const ones = (half: Uint8Array) => half.reduce((sum, value) => sum + value, 0) / 48;
    expect(label.data[1]).toBeCloseTo(ones(pixels.subarray(0, 48)), 6);
    expect(label.data[3]).toBeCloseTo(ones(pixels.subarray(48)), 6);
    seen.add(ones(pixels.subarray(0, 48)));
  }
  expect(seen.size).toBeGreaterThan(10);
  expect(data.subarray(0, 48).every((value) => value === 0)).toBe(true);
});

test.each([0.2, 1, 3])("shares follow Beta(%f, %f)", (alpha) => {
  // mean 1/2, variance 1 / (4 (2a + 1)); 4000 draws, 4 standard errors (the variance's is below 1/100)
  const batch = { input: float32([2, 1], [0, 1]), label: int64([2], [0, 1]) };
  const draws = Array.from({ length: 4000 }, (_, seed) => {
    const { label } = mixed(batch, { ...mixup, alpha } as Mix, keyed(seed, "beta"));
    return label!.data[0] as number;
  });
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(variance / draws.length));
  expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.01);
});

test("a feeder's batches have soft labels, also those that aren't mixed", async () => {
  const dataset = await openDataset({ kind: "folder", path: await twoClasses(4) }, { input });
  const { batch, fields } = openFeeder({ dataset, batch: 4, workers: 0, mix: { kind: "mixup", probability: 0 } });
  expect(fields.label).toEqual({ dtype: "float32", shape: [2] });
  expect((await batch(0, 0)).fields.label).toEqual(float32([4, 2], [1, 0, 1, 0, 0, 1, 0, 1]));
});

test("what can't be mixed is refused", () => {
  const dataset = (part: object) => ({ labelKind: "class", fields: {}, ...part }) as unknown as Dataset;
  expect(() => parseMix({ kind: "mixup" }, dataset({}))).toThrow("how many classes");
  expect(() => parseMix({ kind: "mixup" }, dataset({ fields: { mask: {} } }))).toThrow("two masks");
  const tensors = { classes: ["a"], fields: { input: { dtype: "float32", shape: [7] } } };
  expect(() => parseMix({ kind: "cutmix" }, dataset(tensors))).toThrow("cutmix needs pictures, found float32 [7]");
  const maps = { classes: ["a"], fields: { input: { dtype: "float32", shape: [3, 8, 8] } } } as const;
  expect(() => parseMix({ kind: "cutmix" }, dataset(maps))).toThrow("cutmix needs pictures, found float32 [3, 8, 8]");
  expect(() => parseMix({ kind: "mixup", alpha: 0 }, dataset(tensors))).toThrow("mix.alpha: ");
});
