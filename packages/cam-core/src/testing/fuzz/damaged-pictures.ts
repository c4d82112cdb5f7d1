import type { Rng } from "../rng.ts";
import { rng } from "../rng.ts";
import { drawings } from "./drawings.ts";
import { damagedAnyhow } from "./mutations/bytes.ts";
import { pick } from "./mutations/mutation.ts";
import { height, type Part, partsOf, pictureNames, soundPicture, width } from "./sound-pictures.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Sizes that a header may claim, beside the true one. */
const sizes: readonly number[] = [
  0,
  1,
  23,
  25,
  255,
  4096,
  16383,
  16384,
  65535,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** Where a format says how large the picture is. Each writes another size there, in one direction or both. */
const claims: Readonly<Record<string, (view: DataView, width: number, height: number) => void>> = {
  png: (view, width, height) => {
    view.setUint32(16, width);
    view.setUint32(20, height);
  },
  jpeg: (view, width, height) => {
    const frame = partsOf.jpeg!(bytesOf(view)).find(({ start }) =>
      /c[0-2]/.test(view.getUint8(start + 1).toString(16)),
    )!;
    view.setUint16(frame.start + 5, height & 0xffff);
    view.setUint16(frame.start + 7, width & 0xffff);
  },
  gif: (view, width, height) => {
    const frame = bytesOf(view).indexOf(0x2c, 13); // the first picture's own descriptor
    for (const at of [6, frame + 5]) {
      view.setUint16(at, width & 0xffff, true);
      view.setUint16(at + 2, height & 0xffff, true);
    }
  },
  webp: (view, width, height) => {
    view.setUint16(26, width & 0x3fff, true);
    view.setUint16(28, height & 0x3fff, true);
  },
  tiff: (view, width, height) => {
    for (const { start } of partsOf.tiff!(bytesOf(view)).slice(1)) {
      const value = { 256: width, 257: height, 278: height }[view.getUint16(start, true)];
      if (value === undefined) continue;
      view.setUint16(start + 2, 4, true); // the field's type: 32 bits
      view.setUint32(start + 8, value, true);
    }
  },
  bmp: (view, width, height) => {
    view.setInt32(18, width | 0, true);
    view.setInt32(22, height | 0, true);
  },
  avif: (view, width, height) => {
    const at = Buffer.from(bytesOf(view)).indexOf("ispe");
    view.setUint32(at + 8, width);
    view.setUint32(at + 12, height);
  },
};

/** Numbers that stand anywhere in a header. */
const hostileWords: readonly number[] = [
  0,
  1,
  2,
  7,
  8,
  32,
  255,
  256,
  65535,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** What is done to the parts that a format is made of. Undefined where there is nothing of the kind. */
const ways: Readonly<Record<string, (bytes: Bytes, format: string, random: Rng) => Bytes | undefined>> = {
  size: (bytes, format, random) => {
    const out = bytes.slice();
    const wide = random.int(4) === 0 ? width : pick(random, sizes)!;
    claims[format]?.(viewOf(out), wide, random.int(8) === 0 ? height : pick(random, sizes)!);
    return out;
  },
  partLength: (bytes, format, random) => {
    const out = bytes.slice();
    const part = aPart(bytes, format, random);
    if (!part?.size) return undefined;
    const { at, bytes: long, little } = part.size;
    if (long === 4) viewOf(out).setUint32(at, pick(random, hostileWords)!, little);
    else viewOf(out).setUint16(at, pick(random, hostileWords)! & 0xffff, little);
    return out;
  },
  /** Four bytes of a part's beginning, where fields lie: types, depths, counts, places. */
  field: (bytes, format, random) => {
    const out = bytes.slice();
    const part = aPart(bytes, format, random);
    if (!part) return undefined;
    const from = part.start + (part.size ? 4 : 0);
    const at = Math.min(from + random.int(Math.min(40, part.end - from)), bytes.length - 4);
    const word = pick(random, hostileWords)!;
    if (random.int(2) === 0) viewOf(out).setUint32(at, word, random.int(2) === 0);
    else out[at] = word;
    return out;
  },
  partRemoved: (bytes, format, random) => {
    const part = aPart(bytes, format, random);
    return part && joined(bytes.subarray(0, part.start), bytes.subarray(part.end));
  },
  partAgain: (bytes, format, random) => {
    const part = aPart(bytes, format, random);
    if (!part) return undefined;
    const times = pick(random, [1, 2, 1000])!;
    const copies = Array.from({ length: times }, () => bytes.subarray(part.start, part.end));
    return joined(bytes.subarray(0, part.end), ...copies, bytes.subarray(part.end));
  },
  partsSwapped: (bytes, format, random) => {
    const [a, b] = [aPart(bytes, format, random), aPart(bytes, format, random)];
    if (!a || !b || a.end > b.start) return undefined;
    const cut = (from: number, to?: number) => bytes.subarray(from, to);
    return joined(cut(0, a.start), cut(b.start, b.end), cut(a.end, b.start), cut(a.start, a.end), cut(b.end));
  },
};

export const pictureWays: readonly string[] = [...Object.keys(ways), ...Object.keys(drawings)];

/** Picture file number `seed`: damaged with knowledge of its format, or byte by byte. */
export async function damagedPicture(seed: number): Promise<{ bytes: Bytes; base: string; ways: readonly string[] }> {
  const random = rng(seed);
  const base = pictureNames[seed % pictureNames.length]!;
  const sound = await soundPicture(base);
  const anyhow = () => {
    const { bytes, way } = damagedAnyhow(sound, random);
    return { bytes, base, ways: [way] };
  };
  if (random.int(3) === 0) return anyhow();
  if (base === "svg") {
    const names = Object.keys(drawings);
    const way = names[Math.floor(seed / pictureNames.length) % names.length]!;
    return { bytes: new TextEncoder().encode(drawings[way]!(random)), base, ways: [way] };
  }
  const format = base.split(" ")[0]!;
  for (let tries = 0; tries < 20; tries++) {
    const way = pick(random, Object.keys(ways))!;
    const made = ways[way]!(sound, format, random);
    const bytes = made && format === "png" ? withSums(made) : made;
    if (bytes && !Buffer.from(bytes).equals(sound)) return { bytes, base, ways: [way] };
  }
  return anyhow();
}

function aPart(bytes: Bytes, format: string, random: Rng): Part | undefined {
  return pick(random, partsOf[format]!(bytes));
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf(view: DataView): Bytes {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A PNG with the right sum behind each chunk: readers look at what is in it only then. */
function withSums(bytes: Bytes): Bytes {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
