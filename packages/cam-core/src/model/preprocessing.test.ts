import { describe, expect, test } from "vitest";
import { parseManifest } from "./manifest.ts";
import { defaultPreprocessing, type InputDim } from "./preprocessing.ts";

const cases: [InputDim[], string, object][] = [
  [
    [1, 3, 224, 192],
    "float32",
    { layout: "NCHW", size: [224, 192], channelOrder: "RGB", range: [0, 1], mean: [0.485, 0.456, 0.406] },
  ],
  [["batch", 3, "height", "width"], "float32", { layout: "NCHW", size: [224, 224] }],
  [["N", undefined, undefined, undefined], "float32", { layout: "NCHW", channelOrder: "RGB" }],
  [[-1, 96, 96, 3], "float32", { layout: "NHWC", size: [96, 96], range: [-1, 1] }],
  [[1, 64, 64, 1], "float32", { layout: "NHWC", channelOrder: "grey", range: [0, 1] }],
  [[1, 1, 28, 28], "float32", { layout: "NCHW", size: [28, 28], channelOrder: "grey", range: [0, 1] }],
  [[1, 320, 320, 3], "uint8", { layout: "NHWC", range: [0, 255] }],
  [[1, 3, 3, 3], "float32", { layout: "NCHW", size: [3, 3] }],
];

test.each(cases)("%j of %s", (shape, dtype, expected) => {
  const { input, assumed, notes } = defaultPreprocessing(shape, dtype);
  expect(input).toMatchObject({ ...expected, resize: { kernel: "bilinear", antialias: true, fit: "squash" } });
  expect(assumed).toBe(true);
  expect(notes[0]).toMatch(/preprocessing was assumed/);
  // what is assumed is itself a legal manifest
  expect(parseManifest({ formatVersion: 1, name: "x", inputs: { x: input } }, "x").inputs?.x).toEqual(input);
});

test("only a three-channel, channels-first float input gets ImageNet's statistics", () => {
  expect(defaultPreprocessing([1, 224, 224, 3]).input.mean).toBeUndefined();
  expect(defaultPreprocessing([1, 1, 224, 224]).input.mean).toBeUndefined();
  expect(defaultPreprocessing([1, 3, 224, 224], "uint8").input.mean).toBeUndefined();
});

test("an open size is reported", () =>
  expect(defaultPreprocessing([1, 3, "h", "w"]).notes[1]).toMatch(/size is open: 224 x 224/));

describe("no picture", () => {
  test.each([[[1, 128]], [[1, 4, 64, 64]], [[1, 1, 32, 64, 64]], [[]]] as [InputDim[]][])("%j", (shape) =>
    expect(() => defaultPreprocessing(shape)).toThrow(/does not look like a picture: expected \[N, 1 or 3/),
  );
});
