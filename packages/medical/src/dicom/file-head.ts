import { fstatSync, readSync } from "node:fs";
import { inflateRawSync, constants as zlib } from "node:zlib";
import { DicomError } from "../errors.ts";
import { type DataSet, type Encoding, EndOfBytes, isVr, NotADataSet, readElements, type Wanted } from "./elements.ts";
import type { ByteStore } from "./instance.ts";
import { withFile } from "./with-file.ts";

export const implicitLittleEndian = "1.2.840.10008.1.2";
export const explicitLittleEndian = "1.2.840.10008.1.2.1";
export const explicitBigEndian = "1.2.840.10008.1.2.2";
export const deflatedLittleEndian = "1.2.840.10008.1.2.1.99";

export type FileHead = {
  readonly transferSyntaxUid: string;
  readonly elements: DataSet;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Where the element of the pixels starts, in the file; undefined where there is none, or it lies in a deflated data set. */
  readonly pixelOffset: number | undefined;
  readonly hasPixels: boolean;
};

const transferSyntaxUid = 0x00020010;
const rows = 0x00280010;
/** What may stand for pixels: (7FE0,0008) float, (7FE0,0009) double, (7FE0,0010). */
const pixels = new Set([0x7fe00008, 0x7fe00009, 0x7fe00010]);

/** Read at first: more than the header of a CT image. */
const firstBytes = 1 << 16;
/** A header that goes on further than this isn't one: an enhanced image of 20,000 frames has about 20 MiB. */
const mostBytes = 64 << 20;

/**
 * The part of a DICOM file before its pixels: as much is read as it takes. Files without preamble or without file meta
 * information are understood, and those whose transfer syntax isn't the one that they name.
 * Throws DicomError: not DICOM, truncated, damaged; FileError.
 */
export function readHead(name: string, store: ByteStore, elements: Wanted): FileHead {
  const wanted = new Map([...elements, [transferSyntaxUid, undefined], [rows, undefined]]);
  if ("path" in store) return fromFile(name, store.path, wanted);
  const { bytes } = store;
  return growing(name, bytes.length, wanted, (length) => bytes.subarray(0, length));
}

/** Read over and over, file after file: nothing of it is kept. */
const scratch = new Uint8Array(firstBytes);

function fromFile(name: string, path: string, wanted: Wanted): FileHead {
  return withFile(path, (file) => {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new DicomError(name, "no regular file");
    return growing(name, stat.size, wanted, (length) => {
      const bytes = length <= firstBytes ? scratch : new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
    });
  });
}

/** Tries with the first bytes, then with as many as it takes. */
function growing(name: string, size: number, wanted: Wanted, first: (length: number) => Uint8Array): FileHead {
  for (let length = Math.min(size, firstBytes); ; ) {
    try {
      return { ...parse(name, first(length), wanted, length === size), size };
    } catch (error) {
      if (error instanceof NotADataSet) throw new DicomError(name, error.message, { hint: damagedHint });
      if (!(error instanceof EndOfBytes)) throw error;
      if (length === size)
        throw new DicomError(name, `truncated or damaged: ${error.message}, the file has ${size}`, {
          hint: damagedHint,
        });
      if (length >= mostBytes)
        throw new DicomError(name, `no pixels within the first ${mostBytes >> 20} MiB: ${error.message}`);
      // In steps of eight, so that a header that grows is read a few times at most; all that is left where it isn't much.
      length = Math.min(size, mostBytes, Math.max(length * 8, error.offset + error.needed + firstBytes));
    }
  }
}

const damagedHint = "Fetch the file again, or take it out of the series.";

function parse(name: string, bytes: Uint8Array, wanted: Wanted, isAll: boolean): Omit<FileHead, "size"> {
  const start = hasPrefix(bytes) ? 132 : 0;
  if (start === 0 && bytes[0] === 0x50 && bytes[1] === 0x4b)
    throw new DicomError(name, "a zip archive, expected a DICOM file", {
      hint: "Give it by its own name, or unpack it.",
    });
  if (start === 0 && !looksLikeDataSet(bytes))
    throw new DicomError(name, 'no DICOM file: neither "DICM" at byte 128 nor a data set at its start');
  const { transferSyntaxUid, offset } = fileMeta(bytes, start, wanted);
  if (transferSyntaxUid === deflatedLittleEndian) return deflated(name, bytes.subarray(offset), wanted, isAll);
  const encoding = encodingAt(bytes, offset, transferSyntaxUid);
  const { elements, end } = readElements(bytes, offset, encoding, wanted, isEnd);
  // Without its pixels, the bytes so far may have ended between two elements.
  if (end === undefined && !isAll) throw new EndOfBytes(0, bytes.length, 8);
  const hasPixels = end !== undefined && pixels.has(end.tag);
  return {
    transferSyntaxUid: transferSyntaxUid === "" ? uidOf(encoding) : transferSyntaxUid,
    elements,
    hasPixels,
    pixelOffset: hasPixels ? end.offset : undefined,
  };
}

const uidOf = ({ explicit, littleEndian }: Encoding) =>
  littleEndian ? (explicit ? explicitLittleEndian : implicitLittleEndian) : explicitBigEndian;

/** What a deflated header may grow to: those of thousands of frames aren't deflated. */
const mostInflated = 16 << 20;
/** Inflated at first: a deflated header has two or three KiB; and a bomb of so much can grow a thousandfold, but no more. */
const firstDeflated = 1 << 12;

function deflated(name: string, packed: Uint8Array, wanted: Wanted, isAll: boolean): Omit<FileHead, "size"> {
  for (let length = Math.min(firstDeflated, packed.length); ; length = Math.min(packed.length, length * 8)) {
    const hasEnd = isAll && length === packed.length;
    const content = inflateHead(name, packed.subarray(0, length), hasEnd);
    try {
      const encoding = encodingAt(content, 0, deflatedLittleEndian);
      const { elements, end } = readElements(content, 0, encoding, wanted, isEnd);
      if (end === undefined && !hasEnd) throw new EndOfBytes(0, content.length, 8);
      const hasPixels = end !== undefined && pixels.has(end.tag);
      return { transferSyntaxUid: deflatedLittleEndian, elements, hasPixels, pixelOffset: undefined };
    } catch (error) {
      if (!(error instanceof EndOfBytes) || length === packed.length) throw error;
    }
  }
}

/** At the pixels; or, in what has no rows (a report, contours), where those would have come long before. */
const isEnd = (tag: number, elements: DataSet) => pixels.has(tag) || (tag >= 0x00300000 && !elements.has(rows));

const hasPrefix = (bytes: Uint8Array) =>
  bytes.length >= 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d;

/**
 * Whether bytes without a prefix start as a data set would: groups 0002 or 0008 with a small element number, and a VR or a
 * length that stays within a first element.
 */
function looksLikeDataSet(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const [a, b, c, d] = bytes as unknown as readonly [number, number, number, number];
  const little = (a === 2 || a === 8) && b === 0 && d === 0;
  const big = a === 0 && (b === 2 || b === 8) && c === 0;
  if (!little && !big) return false;
  return isVr(vrAt(bytes, 0)) || (little && bytes[6] === 0 && bytes[7] === 0);
}

const vrAt = (bytes: Uint8Array, offset: number) => String.fromCharCode(bytes[offset + 4] ?? 0, bytes[offset + 5] ?? 0);

/** File meta information: group 0002, explicit little endian whatever follows. Empty where there is none. */
function fileMeta(bytes: Uint8Array, start: number, wanted: Wanted): { transferSyntaxUid: string; offset: number } {
  if (bytes[start] !== 2 || bytes[start + 1] !== 0) return { transferSyntaxUid: "", offset: start };
  const encoding = { explicit: isVr(vrAt(bytes, start)), littleEndian: true };
  const { elements, end } = readElements(bytes, start, encoding, wanted, (tag) => tag >>> 16 !== 2);
  // Group 0002 ends where another group starts: its own length is wrong too often to be followed.
  if (end === undefined) throw new EndOfBytes(0, bytes.length, 8);
  const uid = elements.get(transferSyntaxUid)?.bytes ?? new Uint8Array();
  return { transferSyntaxUid: String.fromCharCode(...uid.subarray(0, 64)).replace(/[\0 ]+$/, ""), offset: end.offset };
}

/** What the bytes are, should it not be what the transfer syntax says: some writers name one and use another. */
function encodingAt(bytes: Uint8Array, offset: number, transferSyntaxUid: string): Encoding {
  const littleEndian =
    transferSyntaxUid === explicitBigEndian || transferSyntaxUid === "" ? bytes[offset + 1] === 0 : true;
  return { explicit: isVr(vrAt(bytes, offset)), littleEndian };
}

function inflateHead(name: string, deflated: Uint8Array, isAll: boolean): Uint8Array {
  try {
    return inflateRawSync(deflated, {
      maxOutputLength: mostInflated,
      ...(isAll ? {} : { finishFlush: zlib.Z_SYNC_FLUSH }),
    });
  } catch (cause) {
    const tooLong = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw new DicomError(
      name,
      tooLong
        ? `its header inflates to more than ${mostInflated >> 20} MiB`
        : `can't be inflated: ${(cause as Error).message}`,
      { hint: damagedHint, cause },
    );
  }
}
