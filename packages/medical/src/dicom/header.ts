import { readFileSync } from "node:fs";
import { fileError, sha256Hex } from "@camkit/cam-core/data";
import { DicomError } from "../errors.ts";
import { attributes, descriptiveKeywords, type Keyword, wanted } from "./attributes.ts";
import type { Display, LookupTable } from "./display.ts";
import type { DataSet } from "./elements.ts";
import { readHead } from "./file-head.ts";
import { framesOf } from "./frames.ts";
import type { ByteStore, Instance, PixelLayout } from "./instance.ts";
import { type Identity, identityKeywords } from "./scan.ts";
import { Values } from "./values.ts";

/**
 * What an instance's header says. Only the part of the file before its pixels is read. `name` is for messages.
 * Throws DicomError: not DICOM, truncated, damaged, a number that is none; FileError.
 */
export function readHeader(name: string, store: ByteStore): Instance {
  const head = readHead(name, store, wanted);
  const values = valuesOf(name, head.elements);
  const pixels = head.hasPixels ? pixelLayout(name, values, head.size) : undefined;
  const sopClassUid = values.text("SOPClassUID");
  return {
    name,
    store,
    hash: onceOnly(() => sha256Hex(bytesOf(store))),
    pixelHash: onceOnly(() => sha256Hex(bytesOf(store).subarray(head.pixelOffset ?? 0))),
    transferSyntaxUid: head.transferSyntaxUid,
    sopClassUid,
    sopInstanceUid: values.text("SOPInstanceUID"),
    frameOfReferenceUid: values.text("FrameOfReferenceUID"),
    identity: identityOf(values),
    modality: values.text("Modality").toUpperCase() || (modalities[sopClassUid] ?? ""),
    imageType: values.texts("ImageType").map((value) => value.toUpperCase()),
    instanceNumber: values.leniently("InstanceNumber")?.[0],
    acquisitionNumber: values.leniently("AcquisitionNumber")?.[0],
    frames: framesOf(name, values, pixels?.numberOfFrames ?? 0),
    pixels,
    attributes: textOf(values, descriptiveKeywords),
    display: displayOf(values),
  };
}

/** For files that don't say their modality: by SOP class, PS3.4, B.5. */
const modalities: Readonly<Record<string, string>> = {
  "1.2.840.10008.5.1.4.1.1.2": "CT",
  "1.2.840.10008.5.1.4.1.1.2.1": "CT",
  "1.2.840.10008.5.1.4.1.1.2.2": "CT",
  "1.2.840.10008.5.1.4.1.1.1": "CR",
  "1.2.840.10008.5.1.4.1.1.1.1": "DX",
  "1.2.840.10008.5.1.4.1.1.1.2": "MG",
};

function valuesOf(name: string, elements: DataSet): Values {
  const charset = new Values(name, elements).texts("SpecificCharacterSet");
  const representation = elements.get(attributes.PixelRepresentation[0])?.bytes;
  return new Values(name, elements, charset, representation?.includes(1));
}

function textOf<K extends Keyword>(values: Values, keywords: readonly K[]): Partial<Record<K, string>> {
  const said: Partial<Record<K, string>> = {};
  for (const keyword of keywords) {
    const text = values.text(keyword);
    if (text !== "") said[keyword] = text;
  }
  return said;
}

function identityOf(values: Values): Identity {
  return { StudyInstanceUID: "", SeriesInstanceUID: "", ...textOf(values, identityKeywords) };
}

/** Far more than any cine has; each takes memory before a pixel of it is seen. */
const mostFrames = 100_000;

/** Throws DicomError where what every decoder needs is missing, or can't be. */
function pixelLayout(name: string, values: Values, size: number): PixelLayout {
  const need = (keyword: Keyword) => {
    const value = values.number(keyword);
    if (value === undefined || value < 1) throw new DicomError(name, `has pixels but no ${keyword}`);
    return value;
  };
  const bitsAllocated = need("BitsAllocated");
  const bitsStored = values.number("BitsStored") ?? bitsAllocated;
  const numberOfFrames = values.number("NumberOfFrames") || 1; // 0 stands in single pictures
  const pixelRepresentation = values.number("PixelRepresentation") === 1 ? 1 : 0;
  const padding = (keyword: Keyword) => {
    const value = values.number(keyword);
    return value === undefined || bitsAllocated !== 16 ? value : sameBits(value, pixelRepresentation === 1);
  };
  // A frame takes eight bytes of a file at least, were it only the header of an empty fragment.
  const most = Math.min(mostFrames, Math.max(1, Math.floor(size / 8)));
  if (!Number.isInteger(numberOfFrames) || numberOfFrames < 1 || numberOfFrames > most)
    throw new DicomError(name, `claims ${numberOfFrames} frames in ${size} bytes, expected 1 to ${most}`);
  return {
    rows: need("Rows"),
    columns: need("Columns"),
    numberOfFrames,
    samplesPerPixel: values.number("SamplesPerPixel") ?? 1,
    photometricInterpretation: values.text("PhotometricInterpretation"),
    planarConfiguration: values.number("PlanarConfiguration") ?? 0,
    bitsAllocated,
    bitsStored,
    highBit: values.number("HighBit") ?? bitsStored - 1,
    pixelRepresentation,
    pixelPaddingValue: padding("PixelPaddingValue"),
    pixelPaddingRangeLimit: padding("PixelPaddingRangeLimit"),
  };
}

/** Some files write padding with a sign and pixels without one, or the other way round: 63536 for -2000. */
const sameBits = (value: number, isSigned: boolean) => (isSigned ? (value << 16) >> 16 : value & 0xffff);

function displayOf(values: Values): Display {
  const centers = values.leniently("WindowCenter") ?? [];
  const widths = values.leniently("WindowWidth") ?? [];
  const [modalityLut] = values.items("ModalityLUTSequence");
  const [voiLut] = values.items("VOILUTSequence");
  return {
    modalityLut: modalityLut && lookupTable(modalityLut),
    voiLut: voiLut && lookupTable(voiLut),
    windows: centers.slice(0, widths.length).map((center, i) => ({ center, width: widths[i]! })),
    voiLutFunction: values.text("VOILUTFunction") || "LINEAR",
    imagerPixelSpacingMm: values.leniently("ImagerPixelSpacing", 2) as [number, number] | undefined,
  };
}

/** PS3.3, C.11.1.1.1: the number of entries (0 is 65536), the input of the first, the bits of each. */
function lookupTable(values: Values): LookupTable | undefined {
  const [count, firstMapped, bits] = values.numbers("LUTDescriptor", 3) ?? [];
  const words = values.words("LUTData");
  if (count === undefined || words === undefined) return undefined;
  const length = count === 0 ? 65536 : count & 0xffff;
  // Tables of eight bits may be packed, two entries to a word.
  const entries =
    words.length < length ? new Uint16Array(new Uint8Array(words.buffer)).slice(0, length) : words.slice(0, length);
  return entries.length === length ? { firstMapped: firstMapped!, bits: bits!, entries } : undefined;
}

function bytesOf(store: ByteStore): Uint8Array {
  if (!("path" in store)) return store.bytes;
  try {
    return readFileSync(store.path);
  } catch (cause) {
    throw fileError(store.path, cause);
  }
}

function onceOnly<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
