import type { Rng } from "../rng.ts";
import { rng } from "../rng.ts";
import { byteMutations } from "./mutations/bytes.ts";
import { pick } from "./mutations/mutation.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Sizes that a header may claim, beside the true 24 × 16. */
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
const claims: Readonly<Record<string, (bytes: Bytes, width: number, height: number) => Bytes>> = {
  png: (bytes, width, height) => {
    const out = bytes.slice();
    const view = new DataView(out.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    view.setUint32(29, crc32(out.subarray(12, 29))); // readers look at the size only where the sum is right
    return out;
  },
  jpeg: (bytes, width, height) => {
    const out = bytes.slice();
    const at = out.findIndex((byte, i) => byte === 0xff && (out[i + 1] === 0xc0 || out[i + 1] === 0xc2));
    new DataView(out.buffer).setUint16(at + 5, height & 0xffff);
    new DataView(out.buffer).setUint16(at + 7, width & 0xffff);
    return out;
  },
  gif: (bytes, width, height) => {
    const out = bytes.slice();
    const view = new DataView(out.buffer);
    const frame = out.indexOf(0x2c, 13); // the first picture's own descriptor
    for (const at of [6, frame + 5]) {
      view.setUint16(at, width & 0xffff, true);
      view.setUint16(at + 2, height & 0xffff, true);
    }
    return out;
  },
  webp: (bytes, width, height) => {
    const out = bytes.slice();
    new DataView(out.buffer).setUint16(26, width & 0x3fff, true);
    new DataView(out.buffer).setUint16(28, height & 0x3fff, true);
    return out;
  },
  tiff: (bytes, width, height) => {
    const out = bytes.slice();
    const view = new DataView(out.buffer);
    const directory = view.getUint32(4, true);
    for (let entry = 0; entry < view.getUint16(directory, true); entry++) {
      const at = directory + 2 + entry * 12;
      const value = { 256: width, 257: height, 278: height }[view.getUint16(at, true)];
      if (value === undefined) continue;
      view.setUint16(at + 2, 4, true); // the field's type: 32 bits
      view.setUint32(at + 8, value, true);
    }
    return out;
  },
  bmp: (bytes, width, height) => {
    const out = bytes.slice();
    new DataView(out.buffer).setInt32(18, width | 0, true);
    new DataView(out.buffer).setInt32(22, height | 0, true);
    return out;
  },
};

const whole = new Map<string, Bytes>();

/** A sound picture of 24 × 16 in a format. */
async function picture(format: string): Promise<Bytes> {
  const known = whole.get(format);
  if (known) return known;
  const random = rng(3);
  const rgb = Uint8Array.from({ length: 24 * 16 * 3 }, () => random.int(256));
  let bytes: Bytes;
  if (format === "bmp") bytes = bitmap(rgb);
  else {
    const { default: sharp } = await import("sharp");
    const image = sharp(rgb, { raw: { width: 24, height: 16, channels: 3 } });
    bytes = Uint8Array.from(await image.toFormat(format as "png").toBuffer());
  }
  whole.set(format, bytes);
  return bytes;
}

/** 24 bits a pixel, no compression; 24 pixels need no padding. */
function bitmap(rgb: Uint8Array): Bytes {
  const out = new Uint8Array(54 + rgb.length);
  const view = new DataView(out.buffer);
  out.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, out.length],
    [10, 54],
    [14, 40],
    [18, 24],
    [22, 16],
    [26, 1 | (24 << 16)],
  ] as const)
    view.setUint32(at, value, true);
  out.set(rgb, 54);
  return out;
}

/** Picture file number `seed`: one that claims another size, or bytes that are damaged without knowing what they mean. */
export async function damagedPicture(seed: number): Promise<{ bytes: Uint8Array; story: string }> {
  const random: Rng = rng(seed);
  const format = pick(random, Object.keys(claims))!;
  const sound = await picture(format);
  if (random.int(3) > 0) {
    const kind = pick(random, Object.keys(byteMutations))!;
    return { bytes: byteMutations[kind]!(sound, random), story: `${format}: bytes ${kind}` };
  }
  const [width, height] = [random.int(4) === 0 ? 24 : pick(random, sizes)!, pick(random, sizes)!];
  return { bytes: claims[format]!(sound, width, height), story: `${format}: claims ${width} × ${height}` };
}

/** The sum that PNG puts behind each chunk. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
