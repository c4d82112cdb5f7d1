import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Context, NativeCodecs } from "dcmjs-codecs";
import { describe, expect, test } from "vitest";
import { encapsulated, file, greyLayout, source, uids } from "../../../../test/encapsulated.ts";
import { PixelDataError } from "../../../errors.ts";
import type { PixelLayout } from "../../instance.ts";
import { decodeFrames } from "../decode-frames.ts";

await NativeCodecs.initializeAsync();

const [rows, columns] = [37, 51];
const layouts: Readonly<Record<string, PixelLayout>> = {
  "12 bits": greyLayout(rows, columns, { bitsStored: 12, highBit: 11 }),
  "16 bits with a sign": greyLayout(rows, columns, { pixelRepresentation: 1 }),
  "8 bits with a sign": greyLayout(rows, columns, {
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    pixelRepresentation: 1,
  }),
  "8 bits in colour": greyLayout(rows, columns, {
    photometricInterpretation: "RGB",
    samplesPerPixel: 3,
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
  }),
};

/** Smooth with noise on it, over all the range. */
function picture({ samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation }: PixelLayout) {
  const range = 2 ** bitsStored;
  const lowest = pixelRepresentation === 1 ? -range / 2 : 0;
  const values = Array.from({ length: rows * columns * samplesPerPixel }, (_, i) => {
    const wave = (1 + Math.sin(i / 40)) / 2;
    return lowest + Math.floor(wave * (range - 9)) + ((i * 7) % 9);
  });
  return bitsAllocated === 8
    ? pixelRepresentation === 1
      ? Int8Array.from(values)
      : Uint8Array.from(values)
    : pixelRepresentation === 1
      ? Int16Array.from(values)
      : Uint16Array.from(values);
}

function encoded(how: "Rle" | "JpegLs" | "Jpeg2000" | "HtJpeg2000", layout: PixelLayout): Uint8Array {
  const pixels = picture(layout);
  const context = new Context({
    width: columns,
    height: rows,
    bitsAllocated: layout.bitsAllocated,
    bitsStored: layout.bitsStored,
    samplesPerPixel: layout.samplesPerPixel,
    pixelRepresentation: layout.pixelRepresentation,
    planarConfiguration: 0,
    photometricInterpretation: layout.photometricInterpretation,
    decodedBuffer: new Uint8Array(pixels.buffer),
  });
  // A view on the codec's memory, which the next call uses again.
  return NativeCodecs[`encode${how}`](context, { lossy: false }).getEncodedBuffer()!.slice();
}

async function decoded(uid: string, stream: Uint8Array, layout: PixelLayout): Promise<number[]> {
  const { value } = await decodeFrames(source(uid, [encapsulated([stream])], layout)).next();
  return Array.from(value!.samples);
}

const families = [
  ["Rle", uids.rle],
  ["JpegLs", uids.jpegLs],
  ["Jpeg2000", uids.jpeg2000],
  ["HtJpeg2000", uids.htj2k],
] as const;

describe.each(families)("%s", (how, uid) => {
  // Of signed bytes, this encoder's JPEG 2000 has values beyond eight bits.
  const cases = Object.entries(layouts).filter(([name]) => how !== "Jpeg2000" || name !== "8 bits with a sign");
  test.each(cases)("%s: what went in comes out", async (_, layout) => {
    expect(await decoded(uid, encoded(how, layout), layout)).toEqual(Array.from(picture(layout)));
  });

  const layout = layouts["12 bits"]!;
  test.each([0.3, 0.6, 0.9])("cut off after %d of it: an error, no picture", async (part) => {
    const stream = encoded(how, layout);
    const cut = stream.subarray(0, Math.floor(stream.length * part));
    await expect(decoded(uid, cut, layout)).rejects.toBeInstanceOf(PixelDataError);
  });

  test("bytes changed at random: a picture or an error with a name; the next stream is decoded as ever", async () => {
    const stream = encoded(how, layout);
    for (let seed = 1; seed <= 40; seed++) {
      const bytes = stream.slice();
      for (let k = 0; k < 1 + (seed % 5); k++) bytes[(seed * (40503 + 977 * k)) % bytes.length] = (seed * 31 + k) & 255;
      const result = await decoded(uid, bytes, layout).catch((cause: unknown) => cause);
      if (Array.isArray(result)) expect(result.length).toBe(rows * columns);
      else expect(result).toBeInstanceOf(PixelDataError);
    }
    expect(await decoded(uid, stream, layout)).toEqual(Array.from(picture(layout)));
  });
});

// 32 × 32 signed bytes, (7 · row + column) % 256 - 128, as GDCM 3.2.6 writes them (OpenJPEG 2.3.0).
const signedJpeg2000 =
  "/0//UQApAAAAAAAgAAAAIAAAAAAAAAAAAAAAIAAAACAAAAAAAAAAAAABhwEB/1IADAAAAAEABAQEAAH/XAAQQEBISFBISFBISFBISFD/ZAAqAAFDcmVhdG" +
  "VkIGJ5IEdEQ00vT3BlbkpQRUcgdmVyc2lvbiAyLjMuMP+QAAoAAAAAAEoAAf+T34AoB65aWOnA+QFH2gYNAQs+f8B8IcPqAwAiGc8Df+vAOhwfOFA2oZc9" +
  "pjRgf8ARwHwigF+nv52sKV2f/9kA";

test("signed bytes in JPEG 2000 keep what is below 0", async () => {
  const layout = greyLayout(32, 32, { bitsAllocated: 8, bitsStored: 8, highBit: 7, pixelRepresentation: 1 });
  const values = Array.from({ length: 1024 }, (_, i) => ((7 * (i >> 5) + (i & 31)) % 256) - 128);
  expect(await decoded(uids.jpeg2000, Buffer.from(signedJpeg2000, "base64"), layout)).toEqual(values);
});

// OpenJPEG prints what it finds wrong. In a process of its own: what prints there is seen.
test("codecs don't print", () => {
  const folder = mkdtempSync(join(tmpdir(), "camkit-codec-"));
  try {
    const layout = layouts["12 bits"]!;
    const streams = [encoded("Jpeg2000", layout), encoded("HtJpeg2000", layout)].flatMap((stream) =>
      [60, 100, 140].map((at) => Uint8Array.from(stream, (byte, i) => (i === at ? byte ^ 0x5a : byte))),
    );
    streams.forEach((stream, k) => {
      const uid = k < 3 ? uids.jpeg2000 : uids.htj2k;
      writeFileSync(join(folder, `${k}-${uid}`), file(uid, [encapsulated([stream])]));
    });
    const door = new URL("../../../../dist/dicom/pixels/index.js", import.meta.url);
    const script = `
      import { readdirSync } from "node:fs";
      import { decodeFrames } from ${JSON.stringify(door.href)};
      const pixels = ${JSON.stringify(layout)};
      for (const name of readdirSync(${JSON.stringify(folder)})) {
        const path = ${JSON.stringify(folder)} + "/" + name;
        await decodeFrames({ name, store: { path }, transferSyntaxUid: name.slice(2), pixels }).next().catch(() => {});
      }
      console.log("done");`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(printed).toBe("done\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
