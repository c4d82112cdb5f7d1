import { decodePicture, encodePicture } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import golden from "../../test/golden/small-jpegs.json" with { type: "json" };
import { picture } from "../../test/pictures.ts";
import { decodeSmallJpeg } from "./small-jpeg.ts";

/** Written by Pillow 13.0.0; waves with noise, of the sizes and samplings that the names say. */
const files = Object.entries(golden).map(
  ([name, base64]) => [name, new Uint8Array(Buffer.from(base64, "base64"))] as const,
);
const isLeft = ([name]: (typeof files)[number]) => name === "turned by EXIF" || name === "CMYK";
const known = files.filter((file) => !isLeft(file));

test.each(known)("%s: the bytes that decodePicture gives", async (_, bytes) => {
  const { width, height, rgb } = await decodePicture(bytes);
  expect(await decodeSmallJpeg(bytes)).toEqual({ width, height, rgb });
});

test.each(files.filter(isLeft))("%s: left to others", async (_, bytes) => {
  expect(await decodeSmallJpeg(bytes)).toBeUndefined();
});

test("no other format, and no large picture", async () => {
  for (const bytes of [await encodePicture(picture(4, 4)), new Uint8Array(), Uint8Array.of(0xff, 0xd8)])
    expect(await decodeSmallJpeg(bytes)).toBeUndefined();
  const flat = (width: number, height: number) =>
    encodePicture({ width, height, rgb: new Uint8Array(3 * width * height) }, { format: "jpeg" });
  expect(await decodeSmallJpeg(await flat(256, 257))).toBeUndefined();
  expect(await decodeSmallJpeg(await flat(256, 256))).toBeDefined();
});

test("a picture belongs to its caller, not to the decoder", async () => {
  const [first, second] = [await decodeSmallJpeg(known[0]![1]), await decodeSmallJpeg(known[1]![1])];
  const { rgb } = await decodePicture(known[0]![1]);
  expect(first!.rgb).toEqual(rgb);
  expect(first!.rgb.buffer).not.toBe(second!.rgb.buffer);
});

test("thousands of refusals don't break the decoder", async () => {
  const cut = known[0]![1].slice(0, -40);
  for (let i = 0; i < 5000; i++) expect(await decodeSmallJpeg(cut)).toBeUndefined();
  const { width, height, rgb } = await decodePicture(known[0]![1]);
  expect(await decodeSmallJpeg(known[0]![1])).toEqual({ width, height, rgb });
});
