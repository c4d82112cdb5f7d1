import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { InputManifest, ResizeManifest } from "../model/manifest.ts";
import { luma, pixelAffine, preparePicture, toModel, toPicture } from "./prepare.ts";
import { resample } from "./resample.ts";
import { testPicture } from "./test-picture.ts";

const digest = (data: unknown) =>
  createHash("sha256")
    .update(data as Uint8Array)
    .digest("hex")
    .slice(0, 16);
const bilinear = { kernel: "bilinear", antialias: true } as const;
const input = (
  size: [number, number],
  resize: Partial<ResizeManifest>,
  more: Partial<InputManifest> = {},
): InputManifest => ({
  layout: "NCHW",
  size,
  resize: { ...bilinear, fit: "squash", ...resize },
  ...more,
});

/** Resize(short) then CenterCrop, by torchvision's formulas on Pillow: int(short * long / short side), int(round(margin / 2.0)). */
// biome-ignore format: one case a line
const torchvision: [w: number, h: number, short: number, W: number, H: number, digest: string, scaled: [number, number], corner: [number, number]][] = [
  [61, 40, 20, 16, 16, "55d7c0f8eb40f21a", [30, 20], [7, 2]],
  [40, 61, 20, 16, 16, "ada3f94cba8a2422", [20, 30], [2, 7]],
  [40, 67, 21, 16, 18, "ba73f1d232a0d5a3", [21, 35], [2, 8]],
  [30, 30, 16, 16, 16, "d0fccd0893d48107", [16, 16], [0, 0]],
];
test.each(torchvision)("short side, crop: %d x %d", (w, h, resizeTo, width, height, expected, scaled, corner) => {
  const { tensor, placement } = preparePicture(
    testPicture(w, h),
    input([height, width], { fit: "short-side", resizeTo }),
  );
  expect(tensor.shape).toEqual([1, height, width, 3]);
  expect(tensor.dtype).toBe("uint8");
  expect(digest(tensor.data)).toBe(expected);
  // the crop's corner and size, in original pixels
  expect(placement.x).toBeCloseTo((corner[0] * w) / scaled[0], 10);
  expect(placement.y).toBeCloseTo((corner[1] * h) / scaled[1], 10);
  expect(placement.width).toBeCloseTo((width * w) / scaled[0], 10);
  expect(placement.height).toBeCloseTo((height * h) / scaled[1], 10);
});

describe("fits", () => {
  test("squash sees everything", () => {
    const { tensor, placement } = preparePicture(testPicture(37, 23), input([16, 16], {}));
    expect(placement).toEqual({ x: 0, y: 0, width: 37, height: 23 });
    expect(digest(tensor.data)).toBe("8b645505402e301d"); // Pillow's resize, as in resample.test.ts
  });

  test("short side without resizeTo: just large enough, also for a model that isn't square", () => {
    // 40 x 20 into 10 x 10: scaled by 1/2 to 20 x 10, columns 5..15 kept = original 10..30
    expect(preparePicture(testPicture(40, 20), input([10, 10], { fit: "short-side" })).placement).toEqual({
      x: 10,
      y: 0,
      width: 20,
      height: 20,
    });
    // 40 x 20 into 10 rows x 30 columns: scaled by 3/4 to 30 x 15, rows 2..12 kept (margin 5, half to even)
    const wide = preparePicture(testPicture(40, 20), input([10, 30], { fit: "short-side" })).placement;
    expect(wide.x).toBe(0);
    expect(wide.y).toBeCloseTo(2 / 0.75, 10);
    expect(wide.width).toBe(40);
    expect(wide.height).toBeCloseTo(10 / 0.75, 10);
  });

  test("squash to a larger size, then the middle (DeiT's processor, timm's crop_mode squash)", () => {
    const { tensor, placement } = preparePicture(testPicture(40, 20), input([8, 8], { resizeTo: 10 }));
    // 40 x 20 squashed to 10 x 10, rows and columns 1..9 kept: a pixel is 4 x 2 of the original's
    expect(placement).toEqual({ x: 4, y: 2, width: 32, height: 16 });
    const whole = resample(
      { width: 40, height: 20, channels: 3, data: testPicture(40, 20).rgb },
      { ...bilinear, width: 10, height: 10, crop: { left: 1, top: 1, width: 8, height: 8 } },
    );
    expect(tensor.data).toEqual(whole.data);
    const wide = preparePicture(testPicture(40, 20), input([8, 8], { resizeTo: [8, 16] })).placement;
    expect(wide).toEqual({ x: 10, y: 0, width: 20, height: 20 }); // columns 4..12 of 16
  });

  test("short side over a box: the picture just covers it (timm's ResizeKeepRatio)", () => {
    const { placement } = preparePicture(testPicture(40, 20), input([8, 8], { fit: "short-side", resizeTo: [10, 16] }));
    // by max(10/20, 16/40) = 1/2 to 20 x 10, columns 6..14 and rows 1..9 kept
    expect(placement).toEqual({ x: 12, y: 2, width: 16, height: 16 });
  });

  test("pad keeps everything and reaches beyond the picture", () => {
    const picture = testPicture(8, 4);
    const { tensor, placement } = preparePicture(picture, input([8, 8], { fit: "pad", padValue: 114 }));
    expect(placement).toEqual({ x: 0, y: -2, width: 8, height: 8 });
    const data = tensor.data as Uint8Array;
    expect(new Set([...data.subarray(0, 48), ...data.subarray(144)])).toEqual(new Set([114]));
    expect(data.subarray(48, 144)).toEqual(picture.rgb); // rows 2..5, untouched
  });

  test("a crop larger than the resized picture is filled up, the smaller half first", () => {
    const { tensor, placement } = preparePicture(testPicture(4, 4), input([7, 7], { fit: "short-side", resizeTo: 4 }));
    expect(placement).toEqual({ x: -1, y: -1, width: 7, height: 7 });
    expect([...(tensor.data as Uint8Array).subarray(0, 21)]).toEqual(new Array(21).fill(0));
  });

  test("one pixel fills any model", () => {
    for (const fit of ["squash", "short-side", "pad"] as const) {
      const { tensor, placement } = preparePicture(
        { width: 1, height: 1, rgb: Uint8Array.of(9, 8, 7) },
        input([5, 5], { fit }),
      );
      expect([...(tensor.data as Uint8Array)]).toEqual(Array.from({ length: 25 }, () => [9, 8, 7]).flat());
      expect(placement).toEqual({ x: 0, y: 0, width: 1, height: 1 });
    }
  });
});

describe("channels", () => {
  test("BGR swaps the ends", () => {
    const picture = { width: 1, height: 1, rgb: Uint8Array.of(1, 2, 3) };
    expect([
      ...(preparePicture(picture, input([1, 1], {}, { channelOrder: "BGR" })).tensor.data as Uint8Array),
    ]).toEqual([3, 2, 1]);
    expect([...picture.rgb]).toEqual([1, 2, 3]);
  });

  test("grey is Pillow's convert('L'), made before resizing", () => {
    const picture = testPicture(9, 4);
    expect(digest(luma(picture.rgb))).toBe("4a7ce83f5bb2dcc0");
    const { tensor } = preparePicture(picture, input([2, 3], {}, { channelOrder: "grey" }));
    expect(tensor.shape).toEqual([1, 2, 3, 1]);
    const grey = { width: 9, height: 4, channels: 1, data: luma(picture.rgb) };
    expect(tensor.data).toEqual(resample(grey, { width: 3, height: 2, ...bilinear }).data);
  });

  test("a frame of a clip has the last two of its sizes", () =>
    expect(preparePicture(testPicture(9, 4), { layout: "NTCHW", size: [16, 4, 6] }).tensor.shape).toEqual([
      1, 4, 6, 3,
    ]));
});

describe("pixelAffine", () => {
  test("by hand: ImageNet, 0..1", () => {
    const { scale, offset } = pixelAffine(
      input([1, 1], {}, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }),
    );
    // 255 -> (1 - 0.485) / 0.229 = 2.2489083, 0 -> -0.485 / 0.229 = -2.1179039
    expect(255 * scale[0]! + offset[0]!).toBeCloseTo(2.2489083, 6);
    expect(offset[0]).toBeCloseTo(-2.1179039, 6);
    // green 128 -> (0.50196078 - 0.456) / 0.224 = 0.2051821
    expect(128 * scale[1]! + offset[1]!).toBeCloseTo(0.2051821, 6);
  });

  test.each([
    [[-1, 1], -1, 1],
    [[0, 255], 0, 255],
    [[1, 0], 1, 0],
  ] as const)("range %j", (range, black, white) => {
    const { scale, offset } = pixelAffine(input([1, 1], {}, { range: [...range] as [number, number] }));
    expect(scale).toHaveLength(3);
    expect(offset).toEqual([black, black, black]);
    expect(255 * scale[2]! + offset[2]!).toBeCloseTo(white, 12);
  });

  test("one channel for grey", () =>
    expect(pixelAffine(input([1, 1], {}, { channelOrder: "grey", mean: [0.5], std: [0.25] }))).toEqual({
      scale: [1 / 255 / 0.25],
      offset: [-2],
    }));
});

describe("there and back", () => {
  const cases: [string, number, number, Partial<ResizeManifest>][] = [
    ["landscape, cropped", 640, 427, { fit: "short-side", resizeTo: 256 }],
    ["portrait, cropped", 427, 640, { fit: "short-side", resizeTo: 256 }],
    ["landscape, padded", 640, 427, { fit: "pad" }],
    ["portrait, squashed", 427, 640, {}],
    ["portrait, squashed and cropped", 427, 640, { resizeTo: [220, 250] }],
  ];
  test.each(cases)("%s: points go round, and a mark is found where it was put", (_, w, h, resize) => {
    const model = { width: 224, height: 192 };
    // A white square on black around (0.55 w, 0.45 h): its centre of mass in the model's pixels, carried back, is its centre.
    const rgb = new Uint8Array(w * h * 3);
    const [left, top, side] = [Math.round(0.55 * w) - 20, Math.round(0.45 * h) - 20, 40];
    for (let y = top; y < top + side; y++) rgb.fill(255, (y * w + left) * 3, (y * w + left + side) * 3);
    const { tensor, placement } = preparePicture({ width: w, height: h, rgb }, input([192, 224], resize));
    let [mass, cx, cy] = [0, 0, 0];
    for (const [i, value] of (tensor.data as Uint8Array).entries()) {
      if (i % 3 !== 0) continue;
      const pixel = i / 3;
      mass += value;
      cx += value * ((pixel % model.width) + 0.5);
      cy += value * (Math.floor(pixel / model.width) + 0.5);
    }
    const [x, y] = toPicture(placement, model, [cx / mass, cy / mass]);
    expect(Math.abs(x - (left + side / 2))).toBeLessThan(0.05); // original pixels
    expect(Math.abs(y - (top + side / 2))).toBeLessThan(0.05);
    const [u, v] = toModel(placement, model, toPicture(placement, model, [10.25, 99.5]));
    expect(u).toBeCloseTo(10.25, 9);
    expect(v).toBeCloseTo(99.5, 9);
  });
});
