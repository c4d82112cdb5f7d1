import type { Sharp } from "sharp";
import { rng } from "../rng.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export const width = 24;
export const height = 16;
const random = rng(3);
const rgb = Uint8Array.from({ length: width * height * 3 }, () => random.int(256));

/** Sound pictures of 24 × 16, several to a format: what a name begins with is the format. */
const encoders: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  png: (image) => image.png(),
  "png interlaced, palette": (image) => image.png({ progressive: true, palette: true, colours: 16 }),
  "png 16 bits, profile": (image) => image.toColourspace("rgb16").withIccProfile("srgb").png(),
  jpeg: (image) => image.jpeg(),
  "jpeg progressive, turned": (image) => image.withMetadata({ orientation: 6 }).jpeg({ progressive: true }),
  gif: (image) => image.gif(),
  webp: (image) => image.webp(),
  "webp lossless": (image) => image.webp({ lossless: true }),
  tiff: (image) => image.tiff({ compression: "none" }),
  "tiff tiles, LZW": (image) => image.tiff({ compression: "lzw", tile: true, tileWidth: 16, tileHeight: 16 }),
  "tiff JPEG": (image) => image.tiff({ compression: "jpeg" }),
  avif: (image) => image.avif({ effort: 0 }),
};

const soundOnes = new Map<string, Bytes>();

/** Every sound picture's name. */
export const pictureNames: readonly string[] = [...Object.keys(encoders), "bmp", "svg"];

export async function soundPicture(name: string): Promise<Bytes> {
  const known = soundOnes.get(name);
  if (known) return known;
  const bytes = name === "bmp" ? bitmap() : name === "svg" ? new TextEncoder().encode(drawing) : await encoded(name);
  soundOnes.set(name, bytes);
  return bytes;
}

async function encoded(name: string): Promise<Bytes> {
  const { default: sharp } = await import("sharp");
  return Uint8Array.from(await encoders[name]!(sharp(rgb, { raw: { width, height, channels: 3 } })).toBuffer());
}

/** 24 bits a pixel, no compression; 24 pixels need no padding. */
function bitmap(): Bytes {
  const out = new Uint8Array(54 + rgb.length);
  const view = new DataView(out.buffer);
  out.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, out.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (24 << 16)],
  ] as const)
    view.setUint32(at, value, true);
  out.set(rgb, 54);
  return out;
}

export const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16" viewBox="0 0 24 16">
<rect width="24" height="16" fill="#fff"/><circle cx="8" cy="8" r="5" fill="#c00"/></svg>`;

/** A stretch of a file that its format tells apart: a chunk, a segment, a box, a field. `size`: where it says how long it is. */
export type Part = {
  readonly start: number;
  readonly end: number;
  readonly size?: { readonly at: number; readonly bytes: 2 | 4; readonly little: boolean };
};

/** The parts of a sound picture, after what identifies its format. */
export const partsOf: Readonly<Record<string, (bytes: Bytes) => Part[]>> = {
  png: (bytes) =>
    chain(bytes, 8, (view, at) => ({ end: at + 12 + view.getUint32(at), size: { at, bytes: 4, little: false } })),
  // Up to the scan, whose bytes have no length.
  jpeg: (bytes) =>
    chain(bytes, 2, (view, at) =>
      view.getUint8(at + 1) === 0xda
        ? undefined
        : { end: at + 2 + view.getUint16(at + 2), size: { at: at + 2, bytes: 2, little: false } },
    ),
  webp: (bytes) =>
    chain(bytes, 12, (view, at) => {
      const length = view.getUint32(at + 4, true);
      return { end: at + 8 + length + (length % 2), size: { at: at + 4, bytes: 4, little: true } };
    }),
  avif: (bytes) => boxes(bytes, 0, bytes.length),
  // The header, the colour table and what follows it, each 16 bytes a part: nothing in it says how long it is.
  gif: (bytes) => fields(bytes, 6, Math.min(bytes.length, 80), 4),
  tiff: (bytes) => {
    const directory = new DataView(bytes.buffer).getUint32(4, true);
    const count = new DataView(bytes.buffer).getUint16(directory, true);
    return [...fields(bytes, 4, 8, 4), ...fields(bytes, directory + 2, directory + 2 + 12 * count, 12)];
  },
  bmp: (bytes) => fields(bytes, 2, 54, 4),
};

function chain(
  bytes: Bytes,
  start: number,
  next: (view: DataView, at: number) => Omit<Part, "start"> | undefined,
): Part[] {
  const view = new DataView(bytes.buffer);
  const parts: Part[] = [];
  for (let at = start; at + 12 <= bytes.length; ) {
    const part = next(view, at);
    if (!part) break;
    parts.push({ start: at, ...part });
    at = part.end;
  }
  return parts;
}

function fields(bytes: Bytes, start: number, end: number, length: number): Part[] {
  const count = Math.floor((Math.min(end, bytes.length) - start) / length);
  return Array.from({ length: count }, (_, i) => ({ start: start + i * length, end: start + (i + 1) * length }));
}

/** Boxes that hold boxes; `meta` has four bytes of its own before them. */
const holders: Readonly<Record<string, number>> = { meta: 12, iprp: 8, ipco: 8, iinf: 14 };

function boxes(bytes: Bytes, start: number, end: number): Part[] {
  const view = new DataView(bytes.buffer);
  const parts: Part[] = [];
  for (let at = start; at + 8 <= end; ) {
    const next = at + Math.max(8, view.getUint32(at));
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    parts.push({ start: at, end: next, size: { at, bytes: 4, little: false } });
    const inner = holders[kind];
    if (inner !== undefined) parts.push(...boxes(bytes, at + inner, next));
    at = next;
  }
  return parts;
}
