import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Kernel } from "../model/manifest.ts";
import { resample } from "./resample.ts";
import { testPicture } from "./test-picture.ts";

const digest = (data: Uint8Array) => createHash("sha256").update(data).digest("hex").slice(0, 16);

/** From w x h to W x H; the digest is of Pillow 13.0.0's Image.resize of the same formula's picture. */
// biome-ignore format: one case a line
const pillow: [Kernel, number, number, number, number, string][] = [
  ["nearest", 37, 23, 16, 16, "4dc17f35e33a40ec"],
  ["nearest", 37, 23, 64, 50, "bf46afc2004d6daa"],
  ["nearest", 37, 23, 37, 9, "7a9abab788839a36"],
  ["nearest", 1, 1, 5, 3, "16551374a30634f5"],
  ["nearest", 200, 3, 7, 11, "15be2b203d43d1a8"],
  ["nearest", 5, 160, 5, 1, "9978699da5af6cdc"],
  ["bilinear", 37, 23, 16, 16, "8b645505402e301d"],
  ["bilinear", 37, 23, 64, 50, "c24d166255b08d23"],
  ["bilinear", 37, 23, 37, 9, "a9f06f4dfa833c1b"],
  ["bilinear", 1, 1, 5, 3, "16551374a30634f5"],
  ["bilinear", 200, 3, 7, 11, "d8325af288772348"],
  ["bilinear", 5, 160, 5, 1, "15673e312dd27037"],
  ["bicubic", 37, 23, 16, 16, "30ebee7dbfe7e3aa"],
  ["bicubic", 37, 23, 64, 50, "aa2d9d92cda36848"],
  ["bicubic", 37, 23, 37, 9, "f9f27470f3be139e"],
  ["bicubic", 1, 1, 5, 3, "16551374a30634f5"],
  ["bicubic", 200, 3, 7, 11, "3fd1045781b388cb"],
  ["bicubic", 5, 160, 5, 1, "1715beb4c9903ba7"],
  ["lanczos3", 37, 23, 16, 16, "8e7c5df9d48fbaa5"],
  ["lanczos3", 37, 23, 64, 50, "e7d0cabf9d0a164a"],
  ["lanczos3", 37, 23, 37, 9, "d6fff10caa15e8aa"],
  ["lanczos3", 1, 1, 5, 3, "16551374a30634f5"],
  ["lanczos3", 200, 3, 7, 11, "12cba6611eb3e417"],
  ["lanczos3", 5, 160, 5, 1, "3c8cc7d5b0f2b060"],
];

test.each(pillow)("%s %d x %d to %d x %d: Pillow's bytes", (kernel, w, h, width, height, expected) => {
  const source = { width: w, height: h, channels: 3, data: testPicture(w, h).rgb };
  expect(digest(resample(source, { width, height, kernel, antialias: true }).data)).toBe(expected);
});

test("pixel centres lie at halves: enlarging by two mixes 3 to 1", () => {
  const source = { width: 4, height: 1, channels: 1, data: Uint8Array.of(0, 100, 200, 50) };
  const { data } = resample(source, { width: 8, height: 1, kernel: "bilinear", antialias: true });
  expect([...data]).toEqual([0, 25, 75, 125, 175, 163, 88, 50]);
});

/** cv2.resize (opencv 4) of the same 6 x 5 grey picture; OpenCV rounds in 11 bits, so one step of difference is allowed. */
const opencv: [Kernel, number, number, number[]][] = [
  ["bilinear", 3, 2, [138, 97, 50, 180, 89, 117]],
  ["bicubic", 3, 2, [147, 92, 29, 197, 63, 120]],
  [
    "bilinear",
    9,
    7,
    [
      11, 33, 65, 103, 149, 157, 47, 70, 120, 138, 113, 81, 56, 109, 150, 72, 55, 57, 226, 177, 113, 57, 97, 141, 103,
      72, 51, 208, 189, 165, 148, 139, 133, 136, 145, 153, 191, 201, 188, 92, 92, 127, 169, 128, 77, 174, 161, 140, 107,
      100, 103, 114, 113, 110, 162, 101, 64, 159, 136, 76, 22, 101, 194,
    ],
  ],
  [
    "bicubic",
    9,
    7,
    [
      0, 15, 65, 107, 177, 166, 31, 56, 138, 148, 117, 67, 27, 110, 166, 68, 32, 41, 255, 200, 103, 34, 87, 153, 111,
      63, 35, 211, 191, 162, 148, 136, 132, 134, 145, 154, 188, 231, 213, 77, 61, 137, 205, 143, 53, 174, 171, 144, 96,
      84, 104, 123, 113, 95, 172, 77, 40, 177, 166, 61, 0, 91, 224,
    ],
  ],
];
describe("without antialiasing: OpenCV's values", () => {
  test.each(opencv)("%s to %d x %d", (kernel, width, height, expected) => {
    const source = { width: 6, height: 5, channels: 1, data: testPicture(6, 5, 1).rgb };
    const { data } = resample(source, { width, height, kernel, antialias: false });
    const differences = [...data].map((value, i) => Math.abs(value - expected[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  });
});

test("a crop is a part of the whole", () => {
  const source = { width: 37, height: 23, channels: 3, data: testPicture(37, 23).rgb };
  const whole = resample(source, { width: 64, height: 50, kernel: "bicubic", antialias: true }).data;
  const crop = { left: 5, top: 9, width: 20, height: 30 };
  const part = resample(source, { width: 64, height: 50, kernel: "bicubic", antialias: true, crop }).data;
  for (let y = 0; y < crop.height; y++) {
    const from = ((y + crop.top) * 64 + crop.left) * 3;
    expect(part.subarray(y * 60, y * 60 + 60)).toEqual(whole.subarray(from, from + 60));
  }
});

test("a flat picture stays flat at every size and kernel", () => {
  for (const kernel of ["nearest", "bilinear", "bicubic", "lanczos3"] as const)
    for (const antialias of [true, false])
      for (const side of [1, 3, 7, 30]) {
        const source = { width: 11, height: 5, channels: 1, data: new Uint8Array(55).fill(201) };
        const { data } = resample(source, { width: side, height: side, kernel, antialias });
        expect(new Set(data)).toEqual(new Set([201]));
      }
});
