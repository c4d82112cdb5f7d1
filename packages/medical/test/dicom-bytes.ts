import type { Encoding } from "../src/dicom/elements.ts";

/** DICOM by hand, byte by byte, for what no writer would write. */

export const explicitLittle: Encoding = { explicit: true, littleEndian: true };
export const implicitLittle: Encoding = { explicit: false, littleEndian: true };
export const explicitBig: Encoding = { explicit: true, littleEndian: false };
export const undefinedLength = 0xffffffff;

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "latin1"));

/** 16-bit words. */
export function words(values: readonly number[], { littleEndian } = explicitLittle): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 2));
  values.forEach((value, i) => {
    bytes.setUint16(i * 2, value & 0xffff, littleEndian);
  });
  return new Uint8Array(bytes.buffer);
}

const long = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);

/** One element. A value of odd length stays odd; `length` lies about it. */
export function element(
  tag: number,
  vr: string,
  value: Uint8Array | string,
  encoding: Encoding = explicitLittle,
  length?: number,
): Uint8Array {
  const bytes = typeof value === "string" ? text(value) : value;
  const { explicit, littleEndian } = encoding;
  const isItem = tag >>> 16 === 0xfffe;
  const head = new DataView(new ArrayBuffer(explicit && !isItem && long.has(vr) ? 12 : 8));
  head.setUint16(0, tag >>> 16, littleEndian);
  head.setUint16(2, tag & 0xffff, littleEndian);
  if (explicit && !isItem) {
    head.setUint8(4, vr.charCodeAt(0));
    head.setUint8(5, vr.charCodeAt(1));
  }
  const said = length ?? bytes.length;
  if (head.byteLength === 12) head.setUint32(8, said, littleEndian);
  else if (explicit && !isItem) head.setUint16(6, said, littleEndian);
  else head.setUint32(4, said, littleEndian);
  return concat(new Uint8Array(head.buffer), bytes);
}

export const item = (content: Uint8Array, encoding = explicitLittle, length?: number) =>
  element(0xfffee000, "", content, encoding, length);

/** Preamble, prefix and file meta information, then the data set. */
export function file(transferSyntaxUid: string, dataSet: Uint8Array): Uint8Array {
  return concat(new Uint8Array(128), text("DICM"), element(0x00020010, "UI", even(transferSyntaxUid)), dataSet);
}

const even = (uid: string) => (uid.length % 2 === 0 ? uid : `${uid}\0`);

/** A picture of 2 × 3 pixels with 16 bits, as short as it can be. `more`: elements of groups below 0028. */
export function smallImage(encoding: Encoding, more: readonly Uint8Array[] = []): Uint8Array {
  const us = (tag: number, value: number) => element(tag, "US", words([value], encoding), encoding);
  return concat(
    element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0", encoding),
    element(0x00080018, "UI", "1.2.3.4", encoding),
    element(0x00080060, "CS", "CT", encoding),
    ...more,
    us(0x00280002, 1),
    element(0x00280004, "CS", "MONOCHROME2 ", encoding),
    us(0x00280010, 2),
    us(0x00280011, 3),
    us(0x00280100, 16),
    us(0x00280101, 12),
    us(0x00280102, 11),
    us(0x00280103, 1),
    element(0x00280120, "SS", words([-2000], encoding), encoding),
    element(0x00281052, "DS", "-1024 ", encoding),
    element(0x00281053, "DS", " 2", encoding),
    element(0x7fe00010, "OW", words([0, 1, 2, 3, 4, 5], encoding), encoding),
  );
}
