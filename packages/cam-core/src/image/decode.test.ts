import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodePicture } from "./decode.ts";
import { testPicture } from "./test-picture.ts";

/** Files that Pillow 13.0.0 wrote. */
const made = {
  /** 2 x 2 grey and alpha: (0, 255) (100, 128) (200, 0) (255, 51) */
  greyAlpha: "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAQAAADYv8WvAAAAEklEQVR4nGNk+J/SyHCC4b8xABMfA+AHUX0PAAAAAElFTkSuQmCC",
  /** 3 x 2, 16 bits: 0 255 256 / 32768 65279 65535 */
  grey16:
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNgYGD4z8jA0MDw7////wAW/wV8IvA3jgAAAABJRU5ErkJggg==",
  /** 2 x 1 with a palette: (10, 20, 30) opaque, (40, 50, 60) transparent */
  palette:
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEUKFB4oMjzVG7TpAAAAAnRSTlP/AOW3MEoAAAAKSURBVHicY3AAAABCAEEpN/TvAAAAAElFTkSuQmCC",
  /** 3 x 2, two frames: red, then blue */
  animated:
    "R0lGODlhAwACAIEAAP8AAAAAAAAAAAAAACH5BAAKAAAALAAAAAADAAIAAAgGAAEIHBgQACH5BAEKAAEALAAAAAADAAIAgQAA/wAAAAAAAAAAAAgGAAEIHBgQADs=",
  /** 2 x 1 float32 TIFF: 0.5 900 */
  float:
    "SUkqAAgAAAAKAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAhgAAABYBBAABAAAAAQAAABcBBAABAAAACAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAAA/AABhRA==",
  /** 16 x 16 JPEG in CMYK, quarters: no ink, magenta + yellow, cyan + yellow, black */
  cmyk: "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9U6/VOv1Tr9U6K/lXr+Veiv5V6/qooor+qiiv6qK/lXr/2Q==",
};
const file = (name: keyof typeof made) => new Uint8Array(Buffer.from(made[name], "base64"));
const { width, height, rgb } = testPicture(12, 7);
const raw = () => sharp(rgb, { raw: { width, height, channels: 3 } });

describe("every kind becomes 8-bit RGB", () => {
  test("grey with alpha: laid on white, as Pillow composites it", async () => {
    const picture = await decodePicture(file("greyAlpha"));
    expect([picture.width, picture.height]).toEqual([2, 2]);
    // 100 at 128/255 on white: 100 * 0.502 + 255 * 0.498 = 177
    expect([...picture.rgb]).toEqual([0, 0, 0, 177, 177, 177, 255, 255, 255, 255, 255, 255]);
    expect(picture.notes).toEqual(["transparency laid on white"]);
  });

  test("16-bit grey: the high byte, white stays white", async () => {
    const picture = await decodePicture(file("grey16"));
    const grey = [...picture.rgb].filter((_, i) => i % 3 === 0);
    expect(grey).toEqual([0, 0, 1, 128, 254, 255]);
    expect([...picture.rgb].every((value, i) => value === picture.rgb[i - (i % 3)])).toBe(true);
    expect(picture.notes).toEqual(["16 bits reduced to 8"]);
  });

  test("a palette with transparency", async () =>
    expect([...(await decodePicture(file("palette"))).rgb]).toEqual([10, 20, 30, 255, 255, 255]));

  test("an animation: its first frame", async () => {
    const picture = await decodePicture(file("animated"));
    expect([picture.width, picture.height]).toEqual([3, 2]);
    expect([...picture.rgb.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect(picture.notes).toEqual(["the first of 2 frames or pages"]);
  });

  test("CMYK with Adobe's inverted inks: paper white, red, green, black", async () => {
    const picture = await decodePicture(file("cmyk"));
    const at = (x: number, y: number) =>
      [...picture.rgb.subarray((y * 16 + x) * 3, (y * 16 + x) * 3 + 3)] as [number, number, number];
    const [white, red, green, black] = [at(4, 4), at(12, 4), at(4, 12), at(12, 12)];
    // Through a press profile inks are duller than their names, so: which channel leads, not which number.
    expect(Math.min(...white)).toBeGreaterThan(250);
    expect(red[0]).toBeGreaterThan(200);
    expect(Math.max(red[1], red[2])).toBeLessThan(80);
    expect(green[1]).toBeGreaterThan(green[0] + 80);
    expect(green[1]).toBeGreaterThan(green[2] + 60);
    expect(Math.max(...black)).toBeLessThan(60);
    expect(picture.notes).toEqual(["CMYK converted to sRGB"]);
  });

  test("one pixel; one grey pixel", async () => {
    const one = (channels: 1 | 3) =>
      sharp(new Uint8Array(channels).fill(77), { raw: { width: 1, height: 1, channels } });
    for (const channels of [1, 3] as const) {
      const picture = await decodePicture(await one(channels).png().toBuffer());
      expect(picture).toMatchObject({ width: 1, height: 1, format: "png", notes: [] });
      expect([...picture.rgb]).toEqual([77, 77, 77]);
    }
  });

  test("PNG, TIFF and lossless WebP give the pixels that went in", async () => {
    for (const encoded of [raw().png(), raw().tiff({ compression: "lzw" }), raw().webp({ lossless: true })])
      expect(new Uint8Array((await decodePicture(await encoded.toBuffer())).rgb)).toEqual(rgb);
  });

  test("a 16-bit RGBA picture", async () => {
    const pixels = Uint16Array.of(65535, 0, 32768, 65535, 0, 0, 0, 0);
    const png = await sharp(pixels, { raw: { width: 2, height: 1, channels: 4 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    expect([...(await decodePicture(png)).rgb]).toEqual([255, 0, 128, 255, 255, 255]);
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])("EXIF orientation %d is undone", async (orientation) => {
  // Upright it is 2 x 3 with a white top left pixel. Stored: the size, and where that pixel lies, by EXIF's definition
  // (6: the stored picture must be turned right by 90°, so the upright top left is the stored bottom left).
  const stored = orientation > 4 ? ([3, 2] as const) : ([2, 3] as const);
  const corner = [
    [0, 0],
    [1, 0],
    [1, 2],
    [0, 2],
    [0, 0],
    [0, 1],
    [2, 1],
    [2, 0],
  ][orientation - 1] as [number, number];
  const pixels = new Uint8Array(stored[0] * stored[1] * 3);
  pixels.fill(255, (corner[1]! * stored[0] + corner[0]!) * 3, (corner[1]! * stored[0] + corner[0]!) * 3 + 3);
  const png = await sharp(pixels, { raw: { width: stored[0], height: stored[1], channels: 3 } })
    .withMetadata({ orientation })
    .png()
    .toBuffer();
  const picture = await decodePicture(png);
  expect([picture.width, picture.height]).toEqual([2, 3]);
  expect([...picture.rgb.subarray(0, 3)]).toEqual([255, 255, 255]);
  expect(picture.rgb.reduce((sum, value) => sum + value, 0)).toBe(3 * 255);
  expect(picture.notes).toEqual(orientation === 1 ? [] : [`turned upright, EXIF orientation ${orientation}`]);
});

describe("refused by name", () => {
  test("truncated files", async () => {
    const big = testPicture(200, 200);
    const source = () => sharp(big.rgb, { raw: { width: 200, height: 200, channels: 3 } });
    for (const encoded of [source().jpeg(), source().png(), source().webp({ lossless: true })]) {
      const bytes = await encoded.toBuffer();
      await expect(decodePicture(bytes.subarray(0, bytes.length / 2), "cut")).rejects.toMatchObject({
        code: "input",
        message: expect.stringMatching(/^cut: damaged or truncated \(/),
        hint: "Copy or download the file again.",
      });
    }
  });

  test("no picture, nothing, a folder, a missing file", async () => {
    await expect(decodePicture(new TextEncoder().encode("hello"), "a.txt")).rejects.toMatchObject({
      message: expect.stringMatching(/^a\.txt: not a picture in a known format/),
      hint: expect.stringContaining("BMP"),
    });
    await expect(decodePicture(new Uint8Array())).rejects.toThrow(/an empty file is no picture/);
    await expect(decodePicture("/")).rejects.toMatchObject({ code: "file" });
    await expect(decodePicture("/no/such/picture.png")).rejects.toThrow(/picture\.png: no such file/);
  });

  test("floating-point pixels", async () =>
    expect(decodePicture(file("float"), "f.tif")).rejects.toThrow(
      /^f\.tif: floating-point pixels have no agreed black and white/,
    ));
});

/** Digests of what Pillow decodes: JPEGs with and without a colour profile, one of them grey. */
const photos: Record<string, string> = {
  "imagenet/n02099601_golden_retriever.JPEG": "e12863551ac4cddc",
  "imagenet/n02676566_acoustic_guitar.JPEG": "d1f7d6f85db60ae1",
  "imagenet/n03345487_fire_engine.JPEG": "757cbca3abef4e6c",
  "coral/parrot.jpg": "7e722716e24f467b",
  "chelsea.png": "416b729128bfb2c3",
  "both.png": "ab2fbafe8d0302f3",
};
const folder = new URL("../../../../../shared/data/photos/", import.meta.url);
describe.skipIf(!existsSync(folder))("photographs, bit for bit as Pillow (needs ../shared)", () => {
  test.each(Object.entries(photos))("%s", async (name, expected) => {
    const picture = await decodePicture(readFileSync(new URL(name, folder)));
    expect(createHash("sha256").update(picture.rgb).digest("hex").slice(0, 16)).toBe(expected);
  });
});
