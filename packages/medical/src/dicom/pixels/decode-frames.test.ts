import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { element, encapsulated, file, greyLayout, source, uids } from "../../../test/encapsulated.ts";
import { PixelDataError, UnsupportedPixelsError } from "../../errors.ts";
import type { PixelLayout } from "../instance.ts";
import { decodeFrames, decodePictures } from "./decode-frames.ts";

const pixelData = (vr: string, ...bytes: number[]) => element(0x7fe0, 0x0010, vr, Uint8Array.from(bytes));
const colour = (photometricInterpretation: string, columns: number, more: Partial<PixelLayout> = {}): PixelLayout =>
  greyLayout(1, columns, {
    photometricInterpretation,
    samplesPerPixel: 3,
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    ...more,
  });

async function stored(...made: Parameters<typeof source>): Promise<number[][]> {
  const frames: number[][] = [];
  for await (const { samples } of decodeFrames(source(...made))) frames.push(Array.from(samples));
  return frames;
}
async function rgb(elements: Uint8Array[], layout: PixelLayout): Promise<number[]> {
  for await (const { data } of decodePictures(source(uids.explicit, elements, layout))) return Array.from(data);
  return [];
}

test("16 bits, two frames; some of them, in any order", async () => {
  const layout = greyLayout(1, 2, { numberOfFrames: 2, pixelRepresentation: 1 });
  const elements = [pixelData("OW", 1, 0, 0xff, 0xff, 2, 1, 0, 0x80)];
  expect(await stored(uids.explicit, elements, layout)).toEqual([
    [1, -1],
    [258, -32768],
  ]);
  const chosen: number[][] = [];
  for await (const { samples } of decodeFrames(source(uids.explicit, elements, layout), [1, 0, 1]))
    chosen.push(Array.from(samples));
  expect(chosen).toEqual([
    [258, -32768],
    [1, -1],
    [258, -32768],
  ]);
});

test("32 bits", async () => {
  const layout = greyLayout(1, 1, { bitsAllocated: 32, bitsStored: 32, highBit: 31 });
  expect(await stored(uids.explicit, [pixelData("OW", 1, 2, 3, 4)], layout)).toEqual([[0x04030201]]);
});

test("1 bit: frames go on within a byte, the first pixel is the lowest bit", async () => {
  const layout = greyLayout(1, 5, { numberOfFrames: 3, bitsAllocated: 1, bitsStored: 1, highBit: 0 });
  const elements = [pixelData("OB", 0b101_10011, 0b0_11111_10)];
  expect(await stored(uids.explicit, elements, layout)).toEqual([
    [1, 1, 0, 0, 1],
    [1, 0, 1, 0, 1],
    [1, 1, 1, 1, 1],
  ]);
});

test("big endian: words are swapped, and 8-bit pixels in words, too", async () => {
  // Group and element swapped, VR, length: PS3.5, 7.3.
  const big = (vr: string, ...bytes: number[]) =>
    Uint8Array.from([0x7f, 0xe0, 0, 0x10, ...Buffer.from(vr), 0, 0, 0, 0, 0, bytes.length, ...bytes]);
  const rows = Uint8Array.from([0, 0x28, 0, 0x10, ...Buffer.from("US"), 0, 2, 0, 1]);
  const swapped = (pixels: Uint8Array, layout: PixelLayout) => {
    const made = source(uids.bigEndian, [pixels], layout);
    // The data set alone is big endian; made() writes its first elements in the other order.
    const meta = file(uids.bigEndian, []).subarray(0, 132 + 8 + 20);
    return { ...made, store: { bytes: Buffer.concat([meta, rows, pixels]) } };
  };
  const eight = greyLayout(1, 4, { bitsAllocated: 8, bitsStored: 8, highBit: 7 });
  for await (const { samples } of decodeFrames(swapped(big("OW", 1, 2, 3, 4), greyLayout(1, 2))))
    expect(Array.from(samples)).toEqual([0x102, 0x304]);
  for await (const { samples } of decodeFrames(swapped(big("OW", 1, 2, 3, 4), eight)))
    expect(Array.from(samples)).toEqual([2, 1, 4, 3]);
  for await (const { samples } of decodeFrames(swapped(big("OB", 1, 2, 3, 4), eight)))
    expect(Array.from(samples)).toEqual([1, 2, 3, 4]);
});

test("colour planes, and chroma for two pixels", async () => {
  const planes = colour("RGB", 2, { planarConfiguration: 1 });
  expect(await rgb([pixelData("OB", 1, 2, 10, 20, 100, 200)], planes)).toEqual([1, 10, 100, 2, 20, 200]);
  // Y1 Y2 Cb Cr; Cb 128 and Cr 128 are grey.
  expect(await rgb([pixelData("OB", 50, 60, 128, 128)], colour("YBR_FULL_422", 2))).toEqual([50, 50, 50, 60, 60, 60]);
});

test("YBR by hand: PS3.3, C.7.6.3.1.2", async () => {
  // Red (255, 0, 0): Y = 0.299 · 255 = 76, Cb = 128 - 0.1687 · 255 = 85, Cr = 128 + 0.5 · 255 = 255.5
  expect(await rgb([pixelData("OB", 76, 85, 255, 0)], colour("YBR_FULL", 1))).toEqual([254, 0, 0]);
});

test("a palette, by hand: values outside it get its ends; 16-bit entries their upper byte", async () => {
  const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
  const layout = {
    ...greyLayout(1, 4, { bitsAllocated: 8, bitsStored: 8, highBit: 7 }),
    photometricInterpretation: "PALETTE COLOR",
  };
  const elements = [
    ...[0x1101, 0x1102, 0x1103].map((tag) => element(0x0028, tag, "US", words(2, 10, 16))),
    element(0x0028, 0x1201, "OW", words(0x1100, 0x2200)),
    element(0x0028, 0x1202, "OW", words(0x3300, 0x4400)),
    element(0x0028, 0x1203, "OW", words(0x5500, 0x6600)),
    pixelData("OB", 10, 11, 0, 255),
  ];
  const [low, high] = [
    [0x11, 0x33, 0x55],
    [0x22, 0x44, 0x66],
  ];
  expect(await rgb(elements, layout)).toEqual([...low!, ...high!, ...low!, ...high!]);
  await expect(rgb(elements.slice(1), layout)).rejects.toThrow("a palette is missing, or segmented");
});

const grey = greyLayout(2, 2);
test.each([
  [
    "an unknown syntax",
    "1.2.3",
    [pixelData("OW", 0)],
    grey,
    UnsupportedPixelsError,
    "pixels in transfer syntax 1.2.3 can't be decoded",
  ],
  ["a retired one", "1.2.840.10008.1.2.4.55", [], grey, UnsupportedPixelsError, "JPEG Full Progression"],
  ["no pixels", uids.explicit, [], grey, UnsupportedPixelsError, "no Pixel Data (7FE0,0010)"],
  [
    "floating point",
    uids.explicit,
    [element(0x7fe0, 0x0008, "OF", Buffer.alloc(16))],
    grey,
    UnsupportedPixelsError,
    "no Pixel Data",
  ],
  [
    "too few bytes",
    uids.explicit,
    [pixelData("OW", 1, 2, 3, 4, 5, 6)],
    grey,
    PixelDataError,
    "pixel data have 6 bytes; 1 frame of 2 × 2 pixels with 64 bits take 8",
  ],
  ["too many", uids.explicit, [element(0x7fe0, 0x0010, "OW", Buffer.alloc(16))], grey, PixelDataError, "have 16 bytes"],
  [
    "a length beyond the file",
    uids.explicit,
    [element(0x7fe0, 0x0010, "OW", Buffer.alloc(8), 0x7fffffff)],
    grey,
    PixelDataError,
    "they have 2147483647 bytes, 8 remain",
  ],
  [
    "fragments where there should be none",
    uids.explicit,
    [encapsulated([Buffer.alloc(8)])],
    grey,
    PixelDataError,
    "come in fragments",
  ],
  [
    "24 bits",
    uids.explicit,
    [element(0x7fe0, 0x0010, "OW", Buffer.alloc(12))],
    greyLayout(2, 2, { bitsAllocated: 24 }),
    UnsupportedPixelsError,
    "24 bits allocated",
  ],
] as const)("refused: %s", async (_, syntax, elements, layout, kind, message) => {
  const reading = stored(syntax, elements, layout);
  await expect(reading).rejects.toBeInstanceOf(kind);
  await expect(reading).rejects.toThrow(`made.dcm: `);
  await expect(reading).rejects.toThrow(message);
});

test("grey is no picture without a window", async () => {
  await expect(rgb([pixelData("OW", 0, 0, 0, 0, 0, 0, 0, 0)], grey)).rejects.toThrow(
    "this is MONOCHROME2 with 1 × 16 bits",
  );
});

test("a compressed stream of another size than the header's isn't decoded at all", async () => {
  const jpeg2000 = new Uint8Array(64);
  const view = new DataView(jpeg2000.buffer);
  view.setUint32(0, 0xff4fff51);
  view.setUint32(8, 0x7fffffff);
  view.setUint32(12, 0x7fffffff);
  view.setUint16(40, 1);
  await expect(stored(uids.jpeg2000, [encapsulated([jpeg2000])], grey)).rejects.toThrow(
    "the compressed frame has 2147483647 × 2147483647 pixels of 1 sample, the header says 2 × 2",
  );
});

test("a deflated data set: read, and bounded", async () => {
  const content = Buffer.concat([
    element(0x0028, 0x0010, "US", Buffer.from([2, 0])),
    pixelData("OW", 1, 0, 2, 0, 3, 0, 4, 0),
  ]);
  const deflated = (bytes: Uint8Array) => {
    const meta = file(uids.deflated, []).subarray(0, 132 + 8 + 22);
    return { ...source(uids.deflated, [], grey), store: { bytes: Buffer.concat([meta, deflateRawSync(bytes)]) } };
  };
  for await (const { samples } of decodeFrames(deflated(content))) expect(Array.from(samples)).toEqual([1, 2, 3, 4]);
  const bomb = deflated(Buffer.concat([content, Buffer.alloc(2 ** 26)]));
  await expect(decodeFrames(bomb).next()).rejects.toThrow("grows beyond 67108872 bytes");
  const broken = deflated(content);
  broken.store.bytes.fill(0x55, 164);
  await expect(decodeFrames(broken).next()).rejects.toThrow("the deflated data set is damaged");
});
