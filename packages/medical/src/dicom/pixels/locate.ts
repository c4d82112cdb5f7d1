import { inflateRawSync, constants as zlib } from "node:zlib";
import { DicomError } from "../../errors.ts";
import { type DataElement, type DataSet, isVr, readElements, type Wanted } from "../elements.ts";
import { readHead } from "../file-head.ts";
import type { ByteStore } from "../instance.ts";
import { limits, PixelFault } from "./limits.ts";
import { type ByteReader, bytesReader } from "./reader.ts";
import type { TransferSyntax } from "./syntaxes.ts";

/** What a file has beside its header: pixels, and what it takes to read them. */
export type PixelElements = {
  /** Of the data set: another than that of the file where it was deflated. */
  readonly reader: ByteReader;
  /** Where the value of Pixel Data lies; without length: encapsulated. */
  readonly pixelData: { readonly vr: string; readonly offset: number; readonly length: number | undefined };
  /** (7FE0,0001), where a frame's first fragment lies: PS3.3, C.7.6.3.1.8. */
  readonly extendedOffsets: DataElement | undefined;
  readonly palette: readonly { readonly descriptor: DataElement; readonly table: DataElement }[];
};

const extendedOffsetTable = 0x7fe00001;
/** Red, green, blue: descriptor and data. */
const paletteTags = [
  [0x00281101, 0x00281201],
  [0x00281102, 0x00281202],
  [0x00281103, 0x00281203],
] as const;
const wanted: Wanted = new Map([extendedOffsetTable, ...paletteTags.flat()].map((tag) => [tag, undefined]));
const pixelDataTag = 0x7fe00010;
const undefinedLength = 0xffffffff;

/**
 * Finds Pixel Data and what belongs to it; without compression its value takes `pixelBytes`. Throws PixelFault: no pixels, lengths beyond the file, a deflated data set that
 * grows beyond the limit.
 */
export function locatePixels(
  store: ByteStore,
  file: ByteReader,
  syntax: TransferSyntax,
  pixelBytes: number,
): PixelElements {
  const { reader, elements, pixelOffset } = syntax.deflated ? fromDeflated(file, pixelBytes) : fromFile(store, file);
  const head = reader.read(pixelOffset, 8);
  const view = new DataView(head.buffer, head.byteOffset, 8);
  const tag = view.getUint16(0, syntax.littleEndian) * 0x10000 + view.getUint16(2, syntax.littleEndian);
  if (tag !== pixelDataTag) throw noPixels();
  const vr = String.fromCharCode(head[4]!, head[5]!);
  const explicit = isVr(vr);
  const offset = pixelOffset + (explicit ? 12 : 8);
  const field = reader.read(offset - 4, 4);
  const length = new DataView(field.buffer, field.byteOffset, 4).getUint32(0, syntax.littleEndian);
  if (length !== undefinedLength && offset + length > reader.size)
    throw new PixelFault(`Pixel Data say that they have ${length} bytes, ${reader.size - offset} remain: truncated`);
  return {
    reader,
    pixelData: { vr: explicit ? vr : "OW", offset, length: length === undefinedLength ? undefined : length },
    ...kept(elements),
  };
}

const noPixels = () =>
  new PixelFault(
    "there is no Pixel Data (7FE0,0010)",
    "unsupported",
    "It may be a report, a presentation state, a DICOMDIR, or have pixels in floating point.",
  );

type Found = { readonly reader: ByteReader; readonly elements: DataSet; readonly pixelOffset: number };

function fromFile(store: ByteStore, reader: ByteReader): Found {
  try {
    const { elements, pixelOffset } = readHead("", store, wanted);
    if (pixelOffset === undefined) throw noPixels();
    return { reader, elements, pixelOffset };
  } catch (cause) {
    // The name comes in front of it again, with what threads answer.
    if (cause instanceof DicomError)
      throw new PixelFault(cause.message.slice(`${cause.source}: `.length), "damaged", cause.hint);
    throw cause;
  }
}

const explicitLittleEndian = { explicit: true, littleEndian: true };

function fromDeflated(file: ByteReader, pixelBytes: number): Found {
  const most = Math.min(pixelBytes + limits.inflatedHeader, 2 ** 31 - 1); // what zlib can write at once
  const bytes = file.read(0, file.size);
  try {
    const start = Buffer.from(bytes.subarray(128, 132)).toString("latin1") === "DICM" ? 132 : 0;
    const meta = readElements(bytes, start, explicitLittleEndian, new Map(), (tag) => tag >>> 16 !== 2);
    const content = inflateRawSync(bytes.subarray(meta.end?.offset), {
      maxOutputLength: most,
      finishFlush: zlib.Z_SYNC_FLUSH,
    });
    const isPixelData = (tag: number) => tag >= pixelDataTag;
    const { elements, end } = readElements(content, 0, explicitLittleEndian, wanted, isPixelData);
    if (!end) throw noPixels();
    return { reader: bytesReader(content), elements, pixelOffset: end.offset };
  } catch (cause) {
    if (cause instanceof PixelFault) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PixelFault(
      code === "ERR_BUFFER_TOO_LARGE"
        ? `the deflated data set grows beyond ${most} bytes, more than its header and pixels can take`
        : `the deflated data set is damaged: ${message}`,
    );
  }
}

/** Copies: the header's buffer is used again for the next file. */
function kept(elements: DataSet): Pick<PixelElements, "extendedOffsets" | "palette"> {
  const copy = (tag: number) => {
    const element = elements.get(tag);
    return element && { ...element, bytes: element.bytes.slice() };
  };
  return {
    extendedOffsets: copy(extendedOffsetTable),
    palette: paletteTags.flatMap(([descriptorTag, tableTag]) => {
      const [descriptor, table] = [copy(descriptorTag), copy(tableTag)];
      return descriptor && table ? [{ descriptor, table }] : [];
    }),
  };
}
