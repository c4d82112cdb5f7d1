import type { InputManifest } from "@camkit/cam-core";
import { float32 } from "@camkit/cam-core/data";
import { named, tinyModel } from "@camkit/cam-core/testing";
import { expect, test } from "vitest";
import { mapOnScan } from "../preprocess/map-on-scan.ts";
import type { Geometry } from "../volume/geometry.ts";
import { explainRadiograph, prepareRadiograph } from "./radiograph.ts";

/** TorchXRayVision's, at a quarter of its size: one channel in [-1024, 1024], the middle square. */
const input: InputManifest = {
  layout: "NCHW",
  size: [56, 56],
  channelOrder: "grey",
  range: [-1024, 1024],
  resize: { kernel: "bilinear", antialias: true, fit: "short-side" },
};
const [rows, columns] = [120, 168];
/** Grey 51, and a white square of 12 pixels with its centre at row 36, column 115. */
const picture = () => {
  const rgb = new Uint8Array(rows * columns * 3).fill(51);
  for (let r = 30; r < 42; r++) rgb.fill(255, (r * columns + 109) * 3, (r * columns + 121) * 3);
  return { width: columns, height: rows, rgb };
};
const geometry: Geometry = {
  shape: [1, rows, columns],
  spacingMm: [1, 0.2, 0.2],
  originMm: [0, 0, 0],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};

test("bytes become the manifest's values: (2 · byte / 255 − 1) · 1024", () => {
  const { tensor } = prepareRadiograph(picture(), input);
  expect(tensor.shape).toEqual([1, 1, 56, 56]);
  const data = tensor.data as Float32Array;
  expect(data[0]).toBeCloseTo((51 / 255) * 2048 - 1024, 2); // -614.4
  expect(Math.max(...data)).toBeCloseTo(1024, 2);
});

/** Two class scores from what is brighter, and darker, than −300. */
const model = () =>
  tinyModel({ x: ["n", 1, 56, 56] }, (op, { x }) => {
    const above = op.relu(op.add(x!, op.constant(float32([], [300]))));
    const a = named(
      op,
      op.maxPool(op.concat([above, op.mul(above, 0.25)], 1), { kernel_shape: [2, 2], strides: [2, 2] }),
      "A",
    );
    return { scores: op.reduceMean(a, { axes: [2, 3], keepdims: false }) };
  });

test("a 2-D classifier from its manifest alone: the map lies on the square, nothing beyond the crop", async () => {
  const prepared = prepareRadiograph(picture(), input);
  const found = await explainRadiograph(model(), prepared, { threads: 1 });
  expect(found.classIndex).toBe(0);
  expect(found.maps[0]!.raw.shape).toEqual([1, 28, 28]);
  const map = mapOnScan(found.maps[0]!.raw, prepared.placement, geometry);
  const plane = new Float32Array(rows * columns);
  map.slice(0, plane);
  const sum = [0, 0, 0];
  plane.forEach((value, at) => {
    sum[0]! += value;
    sum[1]! += value * Math.floor(at / columns);
    sum[2]! += value * (at % columns);
  });
  // A cell of the layer is 4.3 pixels of the picture.
  expect(Math.abs(sum[1]! / sum[0]! - 35.5)).toBeLessThan(1.5);
  expect(Math.abs(sum[2]! / sum[0]! - 114.5)).toBeLessThan(1.5);
  // The middle square of 120: columns 24 to 143.
  expect(plane[36 * columns + 23]).toBe(0);
  expect(Math.max(...plane)).toBeGreaterThan(0.9);
});

test("an asked class that lost is explained all the same", async () => {
  const prepared = prepareRadiograph(picture(), input);
  const found = await explainRadiograph(model(), prepared, { threads: 1, classIndex: 1 });
  expect(found.classIndex).toBe(1);
  expect(found.score).toBeCloseTo(found.logits[1]!, 3);
});
