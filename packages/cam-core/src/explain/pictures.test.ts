import { describe, expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { emptyGraph } from "../graph/graph.ts";
import { pixelAffine, preparePicture } from "../image/prepare.ts";
import type { InputManifest, ResizeManifest } from "../model/manifest.ts";
import { openSession } from "../runtime/session.ts";
import type { Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { feedPictures } from "./pictures.ts";
import { seal } from "./plan.ts";

/** A picture with fine and coarse structure, so that kernels and offsets show. */
function picture(width: number, height: number): Uint8Array {
  const noise = rng(3).normal([height, width, 3]).data as Float32Array;
  return Uint8Array.from(noise, (value, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return Math.max(0, Math.min(255, 128 + 60 * Math.sin(x / 5 + (i % 3)) + 50 * Math.cos(y / 7) + 12 * value));
  });
}

async function folded(manifest: InputManifest, rgb: Uint8Array, width: number, height: number): Promise<Float32Array> {
  const channels = manifest.channelOrder === "grey" ? 1 : 3;
  const [h, w] = manifest.size as [number, number];
  const shape = manifest.layout === "NCHW" ? ["N", channels, h, w] : ["N", h, w, channels];
  const op = new Builder({ ...emptyGraph("p", new Map([["", 18]])), inputs: [{ name: "x", dtype: "float32", shape }] });
  feedPictures(op, "x", "pictures", manifest, pixelAffine(manifest));
  op.alias("x", "y");
  const session = await openSession(seal(op, ["y"]));
  // Twice the same: the batch is open.
  const data = new Uint8Array(2 * rgb.length);
  data.set(rgb);
  data.set(rgb, rgb.length);
  const { y } = await session.run({ pictures: { dtype: "uint8", shape: [2, height, width, 3], data } });
  await session.close();
  expect(y!.shape).toEqual([2, ...shape.slice(1)]);
  const values = y!.data as Float32Array;
  expect(values.subarray(values.length / 2)).toEqual(values.subarray(0, values.length / 2));
  return values.subarray(0, values.length / 2);
}

/** What the model would be fed by `preparePicture`, in grey levels, in the model's layout. */
function prepared(manifest: InputManifest, { data }: Tensor): number[] {
  const { scale, offset } = pixelAffine(manifest);
  const channels = scale.length;
  const values = Array.from(data as Uint8Array, (byte, i) => byte * scale[i % channels]! + offset[i % channels]!);
  if (manifest.layout !== "NCHW") return values;
  const plane = values.length / channels;
  return values.map((_, i) => values[(i % plane) * channels + Math.floor(i / plane)]!);
}

const base: InputManifest = { layout: "NCHW", size: [32, 40], mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };
const sizes = [
  [97, 61],
  [33, 120],
  [40, 32],
  [20, 17],
] as const;
const resizes: readonly ResizeManifest[] = [
  { kernel: "bilinear", antialias: true, fit: "squash" },
  { kernel: "bilinear", antialias: false, fit: "squash" },
  { kernel: "bicubic", antialias: true, fit: "squash" },
  { kernel: "bicubic", antialias: false, fit: "short-side" },
  { kernel: "lanczos3", antialias: true, fit: "squash" },
  { kernel: "lanczos3", antialias: false, fit: "pad" },
  { kernel: "nearest", antialias: false, fit: "pad", padValue: 114 },
  { kernel: "bilinear", antialias: true, fit: "pad", padValue: 7 },
  { kernel: "bilinear", antialias: true, fit: "short-side" },
  { kernel: "bilinear", antialias: true, fit: "short-side", resizeTo: 46 },
  { kernel: "bilinear", antialias: true, fit: "short-side", resizeTo: 35 },
  { kernel: "bilinear", antialias: true, fit: "short-side", resizeTo: [36, 48] },
  { kernel: "bilinear", antialias: true, fit: "squash", resizeTo: [38, 45] },
  { kernel: "bilinear", antialias: true, fit: "squash", resizeTo: 44 },
];

describe("pictures are prepared in the graph as they are outside", () => {
  const cases = resizes.flatMap((resize) => sizes.map((size) => [JSON.stringify(resize), size, resize] as const));
  test.each(cases)("%s of %j", async (_, [width, height], resize) => {
    const manifest = { ...base, resize };
    const rgb = picture(width, height);
    const { tensor } = preparePicture({ width, height, rgb }, manifest);
    const wanted = prepared(manifest, tensor);
    const got = await folded(manifest, rgb, width, height);
    const { scale } = pixelAffine(manifest);
    const plane = got.length / 3;
    const levels = Array.from(got, (value, i) => Math.abs(value - wanted[i]!) / scale[Math.floor(i / plane)]!);
    // To the byte, but where weights in fixed point let an exact half fall to the other side: small ratios have many.
    expect(Math.max(...levels)).toBeLessThanOrEqual(1.01);
    expect(levels.filter((level) => level > 0.01).length / levels.length).toBeLessThan(0.06);
  });

  test.each([
    ["NHWC", "BGR"],
    ["NHWC", "grey"],
    ["NCHW", "grey"],
  ] as const)("%s, %s", async (layout, channelOrder) => {
    const manifest: InputManifest = { layout, channelOrder, size: [17, 20], range: [-1, 1] };
    const rgb = picture(20, 17);
    const { tensor } = preparePicture({ width: 20, height: 17, rgb }, manifest);
    const got = await folded(manifest, rgb, 20, 17);
    for (const [i, value] of prepared(manifest, tensor).entries()) expect(got[i]).toBeCloseTo(value, 5);
  });
});
