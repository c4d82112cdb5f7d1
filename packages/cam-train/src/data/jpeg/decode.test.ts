import { decodePicture, encodePicture } from "@camkit/cam-core";
import { expect, test } from "vitest";
import golden from "../../../test/golden/small-jpegs.json" with { type: "json" };
import { picture } from "../../../test/pictures.ts";
import { keyed } from "../../random.ts";
import { decodeSmallJpeg } from "./decode.ts";

/** Written by Pillow 13.0.0; waves with noise, of the sizes and samplings that the names say. */
const files = Object.entries(golden).map(
  ([name, base64]) => [name, new Uint8Array(Buffer.from(base64, "base64"))] as const,
);
const isPlain = ([name]: (typeof files)[number]) => /^(4:|grey|flat)/.test(name);

test.each(files.filter(isPlain))("%s: the bytes that libjpeg-turbo decodes", async (_, bytes) => {
  const { width, height, rgb } = await decodePicture(bytes);
  expect(decodeSmallJpeg(bytes)).toEqual({ width, height, rgb });
});

test.each(files.filter((file) => !isPlain(file)))("%s: left to others", (_, bytes) => {
  expect(decodeSmallJpeg(bytes)).toBeUndefined();
});

test("no other format, and no large picture", async () => {
  for (const bytes of [await encodePicture(picture(4, 4)), new Uint8Array(), Uint8Array.of(0xff, 0xd8)])
    expect(decodeSmallJpeg(bytes)).toBeUndefined();
  expect(decodeSmallJpeg(await encodePicture(picture(128, 129), { format: "jpeg" }))).toBeUndefined();
  expect(decodeSmallJpeg(await encodePicture(picture(128, 128), { format: "jpeg" }))).toBeDefined();
});

test("a damaged file is either decoded alike or left to others, who refuse it", async () => {
  const rng = keyed(5, "damage");
  let decoded = 0;
  for (const [, original] of files.filter(isPlain))
    for (let i = 0; i < 40; i++) {
      let bytes = original.slice();
      if (i % 4 === 0) bytes = bytes.subarray(0, rng.integer(2, bytes.length - 1));
      else bytes[rng.integer(2, bytes.length - 1)] = rng.integer(0, 255);
      const found = decodeSmallJpeg(bytes);
      if (found === undefined) continue;
      decoded++;
      const { width, height, rgb } = await decodePicture(bytes);
      expect(found).toEqual({ width, height, rgb });
    }
  expect(decoded).toBeGreaterThan(100);
});
