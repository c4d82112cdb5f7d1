import { PixelFault } from "../limits.ts";
import { buildTable, type HuffmanTable } from "./huffman.ts";

/** One component of a frame, and how many of its samples lie in a unit: ITU-T T.81, B.2.2. */
export type Component = {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantisation: number;
};

/** The frame header, SOF. */
export type FrameHeader = {
  /** 0xC0 baseline, 0xC1 extended sequential, 0xC3 lossless, …; 0xF7 JPEG-LS. */
  readonly marker: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly components: readonly Component[];
};

/** One scan, up to its entropy-coded bytes. Tables are those in force where it begins. */
export type Scan = {
  readonly frame: FrameHeader;
  /** Indices into the frame's components, each with its tables. */
  readonly components: readonly { readonly index: number; readonly dc: number; readonly ac: number }[];
  /** Ss, of lossless frames the predictor; Se; Al, of lossless frames the point transform. */
  readonly start: number;
  readonly end: number;
  readonly low: number;
  readonly dcTables: readonly (HuffmanTable | undefined)[];
  readonly acTables: readonly (HuffmanTable | undefined)[];
  /** In zigzag order. */
  readonly quantisation: readonly (Uint16Array | undefined)[];
  /** Units between restart markers, 0: none. */
  readonly restartInterval: number;
  /** Where its entropy-coded bytes begin. */
  readonly offset: number;
};

const soi = 0xd8;
const eoi = 0xd9;
const sos = 0xda;
const dqt = 0xdb;
const dht = 0xc4;
const dri = 0xdd;

/**
 * The scans of a JPEG stream, one after the other, tables gathered on the way: ITU-T T.81, annex B. Whoever takes one says
 * where its entropy-coded bytes end, as `next(end)`.
 */
export function* scansOf(bytes: Uint8Array): Generator<Scan, void, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dcTables: (HuffmanTable | undefined)[] = [];
  const acTables: (HuffmanTable | undefined)[] = [];
  const quantisation: (Uint16Array | undefined)[] = [];
  let restartInterval = 0;
  let frame: FrameHeader | undefined;
  let at = startOf(bytes);
  for (;;) {
    const { marker, body, end } = segmentAt(view, at);
    if (marker === eoi) return;
    at = end;
    if (marker === dht) readHuffman(bytes, body, end, dcTables, acTables);
    else if (marker === dqt) readQuantisation(view, body, end, quantisation);
    else if (marker === dri) restartInterval = view.getUint16(body);
    else if (isFrame(marker)) frame = readFrame(view, marker, body, end);
    else if (marker === sos) {
      if (!frame) throw new PixelFault("the JPEG stream has a scan before its frame header");
      const scan = readScan(view, body, end, frame);
      at = yield { ...scan, frame, dcTables, acTables, quantisation, restartInterval, offset: end };
    }
  }
}

/** The frame header alone: what the stream says of its size, before anything is allocated for it. */
export function frameHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = startOf(bytes); ; ) {
    const { marker, body, end } = segmentAt(view, at);
    if (isFrame(marker)) return readFrame(view, marker, body, end);
    if (marker === sos || marker === eoi) throw new PixelFault("the JPEG stream has no frame header");
    at = end;
  }
}

function startOf(bytes: Uint8Array): number {
  if (bytes[0] === 0xff && bytes[1] === soi) return 2;
  throw new PixelFault(`not a JPEG stream: begins with ${hex(bytes, 4)}, not with FF D8`);
}

export const hex = (bytes: Uint8Array, count: number) =>
  bytes.length === 0
    ? "nothing"
    : Array.from(bytes.subarray(0, count), (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");

/** SOF0 … SOF15 without DHT, JPG and DAC, and JPEG-LS's SOF55. */
const isFrame = (marker: number) =>
  (marker >= 0xc0 && marker <= 0xcf && marker !== dht && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;

function segmentAt(view: DataView, start: number): { marker: number; body: number; end: number } {
  let at = start;
  if (at + 2 > view.byteLength) throw ends();
  if (view.getUint8(at) !== 0xff)
    throw new PixelFault(`byte ${at} of the JPEG stream should begin a marker, and is ${view.getUint8(at)}`);
  while (at + 1 < view.byteLength && view.getUint8(at + 1) === 0xff) at++; // fill bytes
  if (at + 2 > view.byteLength) throw ends();
  const marker = view.getUint8(at + 1);
  const body = at + 4;
  if (marker === eoi) return { marker, body, end: at + 2 };
  if (body > view.byteLength) throw ends();
  const end = at + 2 + view.getUint16(at + 2);
  if (end < body) throw new PixelFault(`a segment of the JPEG stream, at byte ${at}, is shorter than its own length`);
  if (end > view.byteLength) throw ends();
  return { marker, body, end };
}

const ends = () => new PixelFault("the JPEG stream ends within its headers: the file is truncated");

function readFrame(view: DataView, marker: number, body: number, end: number): FrameHeader {
  if (body + 6 > end) throw ends();
  const count = view.getUint8(body + 5);
  if (body + 6 + 3 * count > end) throw ends();
  return {
    marker,
    precision: view.getUint8(body),
    rows: view.getUint16(body + 1),
    columns: view.getUint16(body + 3),
    components: Array.from({ length: count }, (_, i) => {
      const at = body + 6 + 3 * i;
      const sampling = view.getUint8(at + 1);
      return {
        id: view.getUint8(at),
        horizontal: sampling >> 4,
        vertical: sampling & 15,
        quantisation: view.getUint8(at + 2),
      };
    }),
  };
}

function readScan(view: DataView, body: number, end: number, frame: FrameHeader) {
  const count = body < end ? view.getUint8(body) : 0;
  if (count === 0 || body + 4 + 2 * count > end) throw new PixelFault("a scan header of the JPEG stream is damaged");
  const components = Array.from({ length: count }, (_, i) => {
    const id = view.getUint8(body + 1 + 2 * i);
    const tables = view.getUint8(body + 2 + 2 * i);
    const index = frame.components.findIndex((component) => component.id === id);
    if (index < 0) throw new PixelFault(`a scan of the JPEG stream has component ${id}, which its frame hasn't`);
    return { index, dc: tables >> 4, ac: tables & 15 };
  });
  const rest = body + 1 + 2 * count;
  return { components, start: view.getUint8(rest), end: view.getUint8(rest + 1), low: view.getUint8(rest + 2) & 15 };
}

function readHuffman(
  bytes: Uint8Array,
  body: number,
  end: number,
  dcTables: (HuffmanTable | undefined)[],
  acTables: (HuffmanTable | undefined)[],
): void {
  for (let at = body; at < end; ) {
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (at + 17 + total > end) throw new PixelFault("a Huffman table of the JPEG stream is longer than its segment");
    const tables = bytes[at]! >> 4 === 0 ? dcTables : acTables;
    tables[bytes[at]! & 15] = buildTable(counts, bytes.subarray(at + 17, at + 17 + total));
    at += 17 + total;
  }
}

function readQuantisation(view: DataView, body: number, end: number, into: (Uint16Array | undefined)[]): void {
  for (let at = body; at < end; ) {
    const wide = view.getUint8(at) >> 4 !== 0;
    const size = wide ? 128 : 64;
    if (at + 1 + size > end) throw new PixelFault("a quantisation table of the JPEG stream is longer than its segment");
    const first = at + 1;
    into[view.getUint8(at) & 15] = Uint16Array.from({ length: 64 }, (_, i) =>
      wide ? view.getUint16(first + 2 * i) : view.getUint8(first + i),
    );
    at += 1 + size;
  }
}
