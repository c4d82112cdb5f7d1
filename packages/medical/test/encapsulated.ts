import type { PixelLayout } from "../src/dicom/instance.ts";
import type { PixelSource } from "../src/dicom/pixels/open.ts";

/** DICOM files made byte by byte: what a correct writer would not write can be written with these. */

/** A little-endian element in explicit VR; `length` where it should lie. */
export function element(
  group: number,
  number: number,
  vr: string,
  value: Uint8Array,
  length = value.length,
): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, "latin1");
  const long = /^(O.|SQ|UN|UT|UC|UR|SV|UV)$/.test(vr);
  if (long) head.writeUInt32LE(length, 8);
  else head.writeUInt16LE(length, 6);
  return Buffer.concat([head.subarray(0, long ? 12 : 8), value]);
}

/** An item, or with another tag (0xE0DD) the sequence's end. */
export function item(value: Uint8Array, tag = 0xe000, length = value.length): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(tag, 2);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, value]);
}

export const nothing = new Uint8Array(0);
export const sequenceEnd = item(nothing, 0xe0dd);

/** Pixel Data in fragments: an offset table, empty if it isn't given, and the fragments. */
export const encapsulated = (fragments: readonly Uint8Array[], offsets: readonly number[] = []) =>
  Buffer.concat([
    element(0x7fe0, 0x0010, "OB", nothing, 0xffffffff),
    item(new Uint8Array(Uint32Array.from(offsets).buffer)),
    ...fragments.map((fragment) => item(fragment)),
    sequenceEnd,
  ]);

const text = (value: string) => Buffer.from(value.length % 2 === 0 ? value : `${value}\0`, "latin1");

/** A file of these elements, with preamble and the transfer syntax. */
export function file(transferSyntaxUid: string, elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(0x0002, 0x0010, "UI", text(transferSyntaxUid)),
    element(0x0008, 0x0060, "CS", text("CT")),
    // Whoever reads a head stops early where there are no rows.
    element(0x0028, 0x0010, "US", Buffer.from([1, 0])),
    ...elements,
  ]);
}

export const greyLayout = (rows: number, columns: number, more: Partial<PixelLayout> = {}): PixelLayout => ({
  rows,
  columns,
  numberOfFrames: 1,
  samplesPerPixel: 1,
  photometricInterpretation: "MONOCHROME2",
  planarConfiguration: 0,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  pixelRepresentation: 0,
  pixelPaddingValue: undefined,
  pixelPaddingRangeLimit: undefined,
  ...more,
});

/** What `decodeFrames` takes: a file in memory and what its header would say. */
export const source = (
  transferSyntaxUid: string,
  elements: readonly Uint8Array[],
  pixels: PixelLayout,
): PixelSource & { name: string } => ({
  name: "made.dcm",
  store: { bytes: file(transferSyntaxUid, elements) },
  transferSyntaxUid,
  pixels,
});

export const uids = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  deflated: "1.2.840.10008.1.2.1.99",
  bigEndian: "1.2.840.10008.1.2.2",
  rle: "1.2.840.10008.1.2.5",
  jpeg: "1.2.840.10008.1.2.4.50",
  jpegLossless: "1.2.840.10008.1.2.4.70",
  jpegLs: "1.2.840.10008.1.2.4.80",
  jpeg2000: "1.2.840.10008.1.2.4.90",
  htj2k: "1.2.840.10008.1.2.4.201",
} as const;
