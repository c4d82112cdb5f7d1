import sharp from "sharp";
import { expect, test } from "vitest";
import { decodePicture } from "./decode.ts";

/** A JPEG of 24 × 16 whose header says 16383 × 16383: its decoder would fill 800 MB with grey. */
async function lying(): Promise<Uint8Array> {
  const bytes = await sharp({ create: { width: 24, height: 16, channels: 3, background: "#369" } })
    .jpeg()
    .toBuffer();
  const at = bytes.indexOf(Buffer.of(0xff, 0xc0));
  bytes.writeUInt16BE(16383, at + 5);
  bytes.writeUInt16BE(16383, at + 7);
  return bytes;
}

test("a header that its file can't fill is refused", async () => {
  await expect(decodePicture(await lying(), "x.jpg")).rejects.toMatchObject({
    code: "input",
    message: expect.stringMatching(/x\.jpg: damaged: a file of \d+ bytes that claims 16383 x 16383 pixels/),
  });
});

test("a run-length coded bitmap likewise", async () => {
  const bytes = new Uint8Array(1100);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [10, 1078],
    [14, 40],
    [18, 16000],
    [22, 16000],
    [26, 1 | (8 << 16)],
    [30, 1],
  ] as const)
    view.setUint32(at, value, true);
  await expect(decodePicture(bytes, "x.bmp")).rejects.toThrow(/x\.bmp: damaged: a file of 1100 bytes/);
});

test("an empty page of 12 million pixels is a picture", async () => {
  const page = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: "white" } })
    .png()
    .toBuffer();
  expect(page.length).toBeLessThan(60_000);
  expect(await decodePicture(page)).toMatchObject({ width: 4000, height: 3000 });
});
