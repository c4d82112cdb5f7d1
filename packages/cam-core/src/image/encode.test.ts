import sharp from "sharp";
import { expect, test } from "vitest";
import { encodePicture, pictureFormats, readProvenance } from "./encode.ts";
import { testPicture } from "./test-picture.ts";

const picture = testPicture(31, 17);
const provenance = {
  software: "camkit 0.1.0",
  model: { name: "ünïcode <&> ]]>", sha256: "ab".repeat(32) },
  score: 0.973,
  target: 'class "a" & b',
  layers: ["/features/1", null],
  note: "line\nbreak\u0001",
};

test.each(pictureFormats)("%s carries its provenance and comes back", async (format) => {
  const file = await encodePicture(picture, { format, provenance });
  const facts = await sharp(file).metadata();
  expect([facts.format, facts.width, facts.height, facts.channels]).toEqual([format, 31, 17, 3]);
  expect(await readProvenance(file)).toEqual(provenance);
  // and other programs find it where XMP says
  expect(facts.xmp?.toString()).toContain("<xmp:CreatorTool>camkit 0.1.0</xmp:CreatorTool>");
});

test("PNG is exact, JPEG close, without colour subsampling", async () => {
  const back = async (format: "png" | "jpeg") =>
    sharp(await encodePicture(picture, { format }))
      .raw()
      .toBuffer();
  expect(new Uint8Array(await back("png"))).toEqual(picture.rgb);
  // A colour edge between two flat halves survives at every pixel; 4:2:0 would smear it over the neighbour.
  const rgb = new Uint8Array(16 * 8 * 3);
  for (let i = 0; i < 128; i++) rgb.set(i % 16 < 7 ? [255, 0, 0] : [0, 0, 255], i * 3);
  const jpeg = await sharp(await encodePicture({ width: 16, height: 8, rgb }, { format: "jpeg" }))
    .raw()
    .toBuffer();
  expect(jpeg[6 * 3]! - jpeg[7 * 3]!).toBeGreaterThan(215);
});

test("the same picture gives the same bytes; a name whose characters aren't ASCII too", async () => {
  for (const format of pictureFormats)
    expect(await encodePicture(picture, { format, provenance })).toEqual(
      await encodePicture(picture, { format, provenance }),
    );
});

test("none given, none read; too much for a JPEG is refused", async () => {
  expect(await readProvenance(await encodePicture(picture))).toBeUndefined();
  const long = { text: "x".repeat(70_000) };
  await expect(encodePicture(picture, { format: "jpeg", provenance: long })).rejects.toThrow(
    /provenance takes 70\d+ bytes; a JPEG has room for 65000/,
  );
  expect(await readProvenance(await encodePicture(picture, { provenance: long }))).toEqual(long);
});

test("64-bit stamps are kept as decimal text", async () =>
  expect(
    await readProvenance(await encodePicture(picture, { provenance: { stampNs: 12345678901234567890n } })),
  ).toEqual({
    stampNs: "12345678901234567890",
  }));
