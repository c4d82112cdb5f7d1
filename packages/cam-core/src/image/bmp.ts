import { InputError } from "../errors.ts";
import { checkClaim } from "./claim.ts";
import type { Picture } from "./picture.ts";

/*
 * Windows bitmaps, which sharp cannot read and the small npm decoders read wrong (measured against Pillow: bmp-ts on every
 * palette file, @vingle/bmp-js on 16-bit and RLE files, fast-bmp on top-down ones).
 * Rows lie bottom-up unless the height is negative, each padded to four bytes; colours are stored blue, green, red.
 */

/** `biCompression`. 4 and 5 are whole JPEG and PNG files inside; nobody writes them. */
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;
const ALPHABITFIELDS = 6;

const legalBits: Readonly<Record<number, readonly number[]>> = {
  [RGB]: [1, 4, 8, 16, 24, 32],
  [RLE8]: [8],
  [RLE4]: [4],
  [BITFIELDS]: [16, 32],
  [ALPHABITFIELDS]: [16, 32],
};

/** Red, green and blue when the file has no masks of its own. */
const defaultMasks: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x03e0, 0x001f],
  32: [0xff0000, 0x00ff00, 0x0000ff],
};

/** Larger pictures are a damaged header or a slide; sharp has the same limit. */
const maxPixels = 0x3fff * 0x3fff;

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d; // "BM"
}

/**
 * A bitmap of 1, 4, 8, 16, 24 or 32 bits a pixel, plain, bit-field or run-length coded, in either row order.
 * The fourth byte of 32-bit pixels is ignored, as Pillow and most viewers do. Throws InputError when it is none or truncated.
 */
export function decodeBmp(bytes: Uint8Array, source = "bitmap"): Picture {
  const bmp = readHeader(bytes, source);
  const { width, height } = bmp;
  const rows = bmp.compression === RLE8 || bmp.compression === RLE4 ? unpackRuns(bytes, bmp, source) : undefined;
  const stride = rows ? width : Math.ceil((width * bmp.bits) / 32) * 4;
  const pixels = rows ?? bytes.subarray(bmp.dataStart);
  if (pixels.length < stride * (height - 1) + Math.ceil((width * (rows ? 8 : bmp.bits)) / 8))
    throw new InputError(
      `${source}: truncated bitmap: ${width} x ${height} at ${bmp.bits} bits need ${stride * height} bytes of pixels, found ${pixels.length}`,
      { hint: "Copy or download the file again." },
    );
  const pixelAt = rows ? paletteReader(bytes, bmp, 8) : readerOf(bytes, bmp);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(stride * (bmp.topDown ? y : height - 1 - y));
    for (let x = 0; x < width; x++) {
      const color = pixelAt(row, x);
      const to = (y * width + x) * 3;
      rgb[to] = color >> 16;
      rgb[to + 1] = (color >> 8) & 0xff;
      rgb[to + 2] = color & 0xff;
    }
  }
  return { width, height, rgb };
}

type Header = {
  width: number;
  height: number;
  topDown: boolean;
  bits: number;
  compression: number;
  dataStart: number;
  masks: readonly number[];
  paletteStart: number;
  /** Bytes a palette entry takes: 3 in OS/2 files, else 4. */
  entry: number;
  colors: number;
};

function readHeader(bytes: Uint8Array, source: string): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const infoSize = bytes.length >= 18 ? view.getUint32(14, true) : 0;
  const os2 = infoSize === 12;
  if (!isBmp(bytes) || bytes.length < 14 + infoSize || (!os2 && infoSize < 40))
    throw new InputError(`${source}: not a readable bitmap: no complete header in ${bytes.length} bytes`);

  const dataStart = view.getUint32(10, true);
  const width = os2 ? view.getUint16(18, true) : view.getInt32(18, true);
  const rawHeight = os2 ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(rawHeight);
  const bits = view.getUint16(os2 ? 24 : 28, true);
  const compression = os2 ? RGB : view.getUint32(30, true);
  if (width <= 0 || height === 0 || width * height > maxPixels)
    throw new InputError(`${source}: a bitmap of ${width} x ${height} pixels; expected 1 to ${maxPixels} pixels`);
  checkClaim(width, height, bytes.length, source);
  if (!legalBits[compression]?.includes(bits))
    throw new InputError(`${source}: bitmap compression ${compression} at ${bits} bits a pixel is not supported`, {
      hint: "Convert it to PNG.",
    });

  const hasMasks = compression === BITFIELDS || compression === ALPHABITFIELDS;
  const afterInfo = 14 + infoSize;
  if (hasMasks && bytes.length < 66)
    throw new InputError(`${source}: truncated bitmap: it ends before the colour masks`);
  const masks = hasMasks ? [54, 58, 62].map((at) => view.getUint32(at, true)) : (defaultMasks[bits] ?? []);
  const entry = os2 ? 3 : 4;
  const colorsUsed = os2 ? 0 : view.getUint32(46, true);
  const room = Math.max(0, Math.floor((Math.min(dataStart, bytes.length) - afterInfo) / entry));
  return {
    width,
    height,
    topDown: rawHeight < 0,
    bits,
    compression,
    dataStart,
    masks,
    paletteStart: afterInfo,
    entry,
    colors: Math.min(colorsUsed || 1 << Math.min(bits, 8), room),
  };
}

/** From a row and a column to 0xRRGGBB. */
type PixelReader = (row: Uint8Array, x: number) => number;

function readerOf(bytes: Uint8Array, bmp: Header): PixelReader {
  if (bmp.bits <= 8) return paletteReader(bytes, bmp, bmp.bits);
  if (bmp.bits === 24) return (row, x) => (row[3 * x + 2]! << 16) | (row[3 * x + 1]! << 8) | row[3 * x]!;
  const [red, green, blue] = bmp.masks.map(channelReader) as [Channel, Channel, Channel];
  const word: PixelReader =
    bmp.bits === 16
      ? (row, x) => row[2 * x]! | (row[2 * x + 1]! << 8)
      : (row, x) => row[4 * x]! | (row[4 * x + 1]! << 8) | (row[4 * x + 2]! << 16) | (row[4 * x + 3]! << 24);
  return (row, x) => {
    const value = word(row, x);
    return (red(value) << 16) | (green(value) << 8) | blue(value);
  };
}

type Channel = (word: number) => number;

/** The bits under a mask, stretched to 0..255: the largest value they can hold becomes 255. */
function channelReader(mask: number): Channel {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const max = mask >>> shift;
  return (word) => Math.floor((((word & mask) >>> shift) * 255) / max);
}

function paletteReader(bytes: Uint8Array, bmp: Header, bits: number): PixelReader {
  const palette = Array.from({ length: bmp.colors }, (_, i) => {
    const at = bmp.paletteStart + i * bmp.entry;
    return (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!;
  });
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  return (row, x) => {
    const byte = row[Math.floor(x / perByte)]!;
    return palette[(byte >> (8 - bits * ((x % perByte) + 1))) & mask] ?? 0; // past the palette is black
  };
}

/**
 * Run-length coded pixels as one palette index a byte, in file order. A pair (n > 0, colour) is a run; (0, 0) ends a row,
 * (0, 1) the picture, (0, 2) moves right and up, (0, n >= 3) is n literal indices, padded to two bytes.
 * Runs of 4-bit files alternate two colours.
 */
function unpackRuns(bytes: Uint8Array, bmp: Header, source: string): Uint8Array {
  const { width, height } = bmp;
  const out = new Uint8Array(width * height);
  const nibbles = bmp.compression === RLE4;
  let [at, x, y] = [bmp.dataStart, 0, 0];
  const put = (index: number) => {
    if (x < width && y < height) out[y * width + x] = index;
    x++;
  };
  const half = (byte: number, i: number) => (nibbles ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  while (y < height) {
    if (at + 1 >= bytes.length)
      throw new InputError(`${source}: truncated bitmap: its runs end in row ${y} of ${height}`, {
        hint: "Copy or download the file again.",
      });
    const [count, code] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) for (let i = 0; i < count; i++) put(half(code, i));
    else if (code === 0) [x, y] = [0, y + 1];
    else if (code === 1) break;
    else if (code === 2) {
      x += bytes[at] ?? 0;
      y += bytes[at + 1] ?? 0;
      at += 2;
    } else {
      for (let i = 0; i < code; i++) put(half(bytes[at + (nibbles ? i >> 1 : i)] ?? 0, i));
      const used = nibbles ? (code + 1) >> 1 : code;
      at += used + (used % 2);
    }
  }
  return out;
}
