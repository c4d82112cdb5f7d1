import { type Rng, sha256Hex } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import golden from "../../../test/golden/augment.json" with { type: "json" };
import { picture } from "../../../test/pictures.ts";
import { keyed } from "../../random.ts";
import { blurred } from "./blur.ts";
import { adjust } from "./colour.ts";
import type { Augmentation, Pixels } from "./contract.ts";
import { shifted } from "./crop.ts";
import { type Augment, type AugmentSpec, augment, augmentations, augmentSchema, parseAugment } from "./index.ts";
import { cutOut } from "./resized-crop.ts";
import { turned } from "./rotate.ts";

const pixelsOf = (width: number, height: number, seed = 0): Pixels => {
  const data = picture(width, height, seed).rgb;
  return { width, height, channels: 3, data, mask: Uint8Array.from({ length: width * height }, (_, i) => i % 2) };
};
type PictureKind = keyof typeof augmentations;
const small = pixelsOf(5, 4);
const run = async (spec: AugmentSpec, pixels: Pixels, rng: Rng) => {
  const options = augmentSchema.parse(spec);
  return (augmentations[options.kind as PictureKind] as Augmentation<Augment>).apply(pixels, options, rng);
};
const always = (kind: Augment["kind"]): AugmentSpec =>
  ({
    ...{ kind, ...(["blur", "grey", "erase", "noise", "jpeg"].includes(kind) && { probability: 1 }) },
    ...(kind === "crop" && { padding: 2 }),
    ...(kind === "rotate" && { degrees: 20 }),
    ...(kind === "colour" && { brightness: 0.5, hue: 0.1 }),
  }) as AugmentSpec;
const kinds = Object.keys(augmentations) as PictureKind[];

/** How many values may differ by one: rounding in float32 there, in float64 here. */
const matches: readonly [name: keyof typeof golden, made: Pixels, ones: number][] = [
  ["brightness 0.7", adjust.brightness(small, 0.7), 0],
  ["brightness 1.45", adjust.brightness(small, 1.45), 0],
  ["contrast 0.4", adjust.contrast(small, 0.4), 0],
  ["contrast 1.8", adjust.contrast(small, 1.8), 0],
  ["saturation 0.3", adjust.saturation(small, 0.3), 0],
  ["saturation 1.6", adjust.saturation(small, 1.6), 0],
  ["hue 0.1", adjust.hue(small, 0.1), 1],
  ["hue -0.37", adjust.hue(small, -0.37), 1],
  ["rotate 17", turned(small, 17, 0), 0],
  ["rotate -90", turned(small, -90, 0), 1], // samples lie on half pixels
  ["blur 0.5", blurred(small, 0.5), 0],
  ["blur 0.9", blurred(small, 0.9), 0],
  ["crop zero 2 -1", shifted(small, 2, -1, false), 0],
  ["crop reflect 2 -1", shifted(small, 2, -1, true), 0],
  ["resized-crop 1 0 3 3", cutOut(small, { left: 1, top: 0, width: 3, height: 3 }), 0],
];

test.each(matches)("%s: torchvision's bytes", (name, { data }, ones) => {
  const differences = golden[name].map((value, i) => Math.abs(value - data[i]!));
  expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  expect(differences.filter((value) => value > 0).length).toBeLessThanOrEqual(ones);
});

test("what is drawn for a flip, and grey, as torchvision has them", async () => {
  const rng = keyed(0);
  expect((await run({ kind: "grey", probability: 1 }, small, rng)).data).toEqual(Uint8Array.from(golden.grey));
  const across = await run({ kind: "flip", horizontal: 1 }, small, rng);
  expect(across.data).toEqual(Uint8Array.from(golden["flip horizontal"]));
  expect(Array.from(across.mask!).slice(0, 5)).toEqual([0, 1, 0, 1, 0]);
  const down = await run({ kind: "flip", horizontal: 0, vertical: 1 }, small, rng);
  expect(down.data).toEqual(Uint8Array.from(golden["flip vertical"]));
  expect(Array.from(down.mask!).slice(0, 5)).toEqual([1, 0, 1, 0, 1]);
});

test("the eight symmetries of the square: each drawn as often, mask and picture alike", async () => {
  // Rows 0 1 2 | 3 4 5 | 6 7 8; at the diagonal 0 3 6 | 1 4 7 | 2 5 8.
  const square = { width: 3, height: 3, channels: 1, data: Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]) };
  const masked = { ...square, mask: square.data };
  const only: AugmentSpec = { kind: "flip", horizontal: 0, diagonal: 1 };
  expect(Array.from((await run(only, masked, keyed(0))).data)).toEqual([0, 3, 6, 1, 4, 7, 2, 5, 8]);
  const seen = new Map<string, number>();
  for (let i = 0; i < 800; i++) {
    const made = await run({ kind: "flip", vertical: 0.5, diagonal: 0.5 }, masked, keyed(i));
    expect(made.mask).toEqual(made.data);
    seen.set(made.data.join(""), (seen.get(made.data.join("")) ?? 0) + 1);
  }
  expect(seen.size).toBe(8);
  for (const count of seen.values()) expect(Math.abs(count - 100)).toBeLessThan(38); // four standard deviations
  await expect(run(only, small, keyed(0))).rejects.toThrow("square pictures, found 5 x 4");
});

test("masks turn and move with their pictures, nearest neighbour", () => {
  const masked = { ...small, mask: Uint8Array.from(golden.mask) };
  expect(Array.from(turned(masked, 33, 0).mask!)).toEqual(golden["mask rotate 33"]);
  const dot = { ...small, mask: Uint8Array.from({ length: 20 }, (_, i) => Number(i === 7)) }; // column 2, row 1
  expect(shifted(dot, 1, -1, false).mask!.indexOf(1)).toBe(11); // column 1, row 2
  expect(Array.from(cutOut(dot, { left: 2, top: 1, width: 1, height: 1 }).mask!)).toEqual(new Array(20).fill(1));
});

test.each(kinds)("%s: same size, the picture it was given untouched, equal for equal keys", async (kind) => {
  for (const pixels of [pixelsOf(16, 12, 3), { ...pixelsOf(4, 3), channels: 1, data: new Uint8Array(12).fill(90) }]) {
    const before = sha256Hex(pixels.data) + sha256Hex(pixels.mask!);
    const made = await Promise.all([1, 1, 2].map((seed) => run(always(kind), pixels, keyed(seed))));
    expect(sha256Hex(pixels.data) + sha256Hex(pixels.mask!)).toBe(before);
    for (const { data, mask } of made) {
      expect([data.length, mask!.length]).toEqual([pixels.data.length, pixels.mask!.length]);
      expect(mask!.every((value) => value <= 1)).toBe(true);
    }
    expect(made[0]).toEqual(made[1]);
  }
});

test.each(kinds)("%s: leaves a picture as it is where it is given nothing to do", async (kind) => {
  const nothing: Record<PictureKind, object> = {
    blur: { probability: 0 },
    colour: {},
    crop: { padding: 1 }, // drawn below: no shift
    erase: { probability: 0 },
    flip: { horizontal: 0 },
    grey: { probability: 0 },
    jpeg: { probability: 0 },
    noise: { sigma: [0, 0], probability: 1 },
    "resized-crop": { scale: [1, 1], ratio: [5 / 4, 5 / 4] },
    rotate: { degrees: [0, 0] },
  };
  const rng = { ...keyed(1), ...(kind === "crop" && { integer: () => 0 }) };
  expect(await run({ kind, ...nothing[kind] } as AugmentSpec, small, rng)).toEqual(small);
});

test("colour draws its factors from where torchvision does", async () => {
  // White times a factor from 0.6 to 1.4, cut at 255: black is 153 at the least.
  const white = { width: 1, height: 1, channels: 3, data: Uint8Array.of(200, 200, 200) };
  const levels = [];
  for (let i = 0; i < 2000; i++)
    levels.push((await run({ kind: "colour", brightness: 0.4 }, white, keyed(i, "levels"))).data[0]!);
  expect(Math.min(...levels)).toBeGreaterThanOrEqual(120);
  expect(Math.max(...levels)).toBe(255);
  // E[min(255, floor(200 f))], f uniform in [0.6, 1.4]: ∫(0.6..1.275) 200 f + 0.125 · 255 over 0.8, less half a level = 197.6
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  expect(Math.abs(mean - 197.6)).toBeLessThan(3 * (46 / Math.sqrt(2000)));
});

test("erasing covers the share that is asked for, noise has its sigma", async () => {
  const large = { width: 100, height: 100, channels: 1, data: new Uint8Array(10_000).fill(100) };
  const shares: number[] = [];
  for (let i = 0; i < 100; i++) {
    const options = { kind: "erase", area: [0.1, 0.2], value: 7, probability: 1 } as const;
    const { data } = await run(options, large, keyed(i));
    shares.push(data.filter((value) => value === 7).length / data.length);
  }
  expect(Math.min(...shares)).toBeGreaterThan(0.095); // sides are whole numbers
  expect(Math.max(...shares)).toBeLessThan(0.205);
  const { data } = await run({ kind: "noise", sigma: [10, 10], probability: 1 }, large, keyed(4));
  const mean = data.reduce((sum, value) => sum + value, 0) / 10_000;
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 10_000);
  expect(Math.abs(mean - 100)).toBeLessThan(0.4); // 4 standard errors
  expect(Math.abs(deviation - 10)).toBeLessThan(0.3);
});

test("JPEG leaves its traces, more of them at a lower quality", async () => {
  const smooth = { ...pixelsOf(16, 16), data: Uint8Array.from({ length: 768 }, (_, i) => 60 + ((i / 3) % 16) * 8) };
  const error = async (quality: number) => {
    const { data } = await run({ kind: "jpeg", quality: [quality, quality], probability: 1 }, smooth, keyed(0));
    return data.reduce((sum, value, i) => sum + Math.abs(value - smooth.data[i]!), 0) / data.length;
  };
  expect(await error(95)).toBeLessThan(1.5);
  expect(await error(10)).toBeGreaterThan(2 * (await error(95)));
});

test("steps follow one another as listed, whether they wait or not", async () => {
  const { mask, ...rest } = small;
  const sample = {
    input: { dtype: "uint8", shape: [4, 5, 3], data: rest.data },
    label: { dtype: "int64", shape: [], data: BigInt64Array.of(1n) },
  } as const;
  const steps = [
    { kind: "jpeg", quality: [60, 60], probability: 1 },
    { kind: "flip", horizontal: 1 },
    { kind: "colour", brightness: 0.3 },
  ].map((spec) => augmentSchema.parse(spec));
  const rng = keyed(8);
  let expected: Pixels = rest;
  for (const step of steps) expected = await run(step, expected, rng);
  const made = await augment(sample, steps, keyed(8));
  expect(made).toEqual({ ...sample, input: { ...sample.input, data: expected.data } });
});

test("inputs and masks that it can't work on are refused", () => {
  const input = { dtype: "uint8", shape: [4, 5, 3] } as const;
  const flip = [{ kind: "flip" }] as const;
  expect(() => parseAugment(flip, { input: { ...input, shape: [4, 5, 2] } })).toThrow("the input is uint8 [4, 5, 2]");
  expect(() => parseAugment(flip, { input, mask: { ...input, shape: [5, 4] } })).toThrow("the mask is uint8 [5, 4]");
  expect(() => parseAugment([{ kind: "rotate", degrees: [9, 1] }], { input })).toThrow(/augment\.0\.degrees/);
  expect(() => parseAugment([{ kind: "spin" } as never], { input })).toThrow(/augment\.0\.kind/);
  expect(parseAugment(flip, { input, mask: { dtype: "uint8", shape: [4, 5] } })).toHaveLength(1);
});
