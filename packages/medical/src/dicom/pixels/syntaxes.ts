import type { Codec } from "./codecs/codec.ts";
import { PixelFault } from "./limits.ts";

/** How a transfer syntax lays out a data set, and its pixels: PS3.5, annex A. */
export type TransferSyntax = {
  readonly name: string;
  readonly explicitVr: boolean;
  readonly littleEndian: boolean;
  readonly deflated?: true;
  /** Pixel data come in fragments, a codec undoes them; undefined: as they are. */
  readonly encapsulated: boolean;
  /** Whether pixels are those that went in. Near-lossless and irreversible ones aren't. */
  readonly lossless: boolean;
  readonly open: () => Promise<Codec>;
};

const native = async () => (await import("./codecs/native.ts")).decode;
const rle = async () => (await import("./codecs/rle.ts")).decode;
const jpeg = async () => (await import("./codecs/jpeg.ts")).open();
const jpegLossless = async () => (await import("./codecs/jpeg-lossless.ts")).decode;
const jpegLs = async () => (await import("./codecs/jpeg-ls.ts")).open();
const jpeg2000 = async () => (await import("./codecs/jpeg-2000.ts")).openJpeg2000();
const htj2k = async () => (await import("./codecs/jpeg-2000.ts")).openHighThroughput();

const plain = { explicitVr: true, littleEndian: true, encapsulated: false, lossless: true, open: native };
const compressed = (name: string, open: () => Promise<Codec>, lossless = true): TransferSyntax => ({
  ...plain,
  name,
  encapsulated: true,
  lossless,
  open,
});

/** Every transfer syntax whose pixels can be read, by UID: PS3.6, table A-1. */
export const transferSyntaxes: Readonly<Record<string, TransferSyntax>> = {
  "1.2.840.10008.1.2": { ...plain, name: "Implicit VR Little Endian", explicitVr: false },
  "1.2.840.10008.1.2.1": { ...plain, name: "Explicit VR Little Endian" },
  "1.2.840.10008.1.2.1.99": { ...plain, name: "Deflated Explicit VR Little Endian", deflated: true },
  "1.2.840.10008.1.2.2": { ...plain, name: "Explicit VR Big Endian", littleEndian: false },
  "1.2.840.10008.1.2.5": compressed("RLE Lossless", rle),
  "1.2.840.10008.1.2.4.50": compressed("JPEG Baseline (Process 1)", jpeg, false),
  "1.2.840.10008.1.2.4.51": compressed("JPEG Extended (Process 2 and 4)", jpeg, false),
  "1.2.840.10008.1.2.4.57": compressed("JPEG Lossless (Process 14)", jpegLossless),
  "1.2.840.10008.1.2.4.70": compressed("JPEG Lossless (Process 14, Selection Value 1)", jpegLossless),
  "1.2.840.10008.1.2.4.80": compressed("JPEG-LS Lossless", jpegLs),
  "1.2.840.10008.1.2.4.81": compressed("JPEG-LS Near-Lossless", jpegLs, false),
  "1.2.840.10008.1.2.4.90": compressed("JPEG 2000 Lossless Only", jpeg2000),
  "1.2.840.10008.1.2.4.91": compressed("JPEG 2000", jpeg2000, false),
  "1.2.840.10008.1.2.4.201": compressed("High-Throughput JPEG 2000 Lossless Only", htj2k),
  "1.2.840.10008.1.2.4.202": compressed("High-Throughput JPEG 2000 with RPCL Options Lossless Only", htj2k),
  "1.2.840.10008.1.2.4.203": compressed("High-Throughput JPEG 2000", htj2k, false),
};

/** Names of some that can't, so that a refusal says more than a number. */
const others: Readonly<Record<string, string>> = {
  "1.2.840.10008.1.2.4.53": "JPEG Spectral Selection (Process 6 and 8), retired in 2001",
  "1.2.840.10008.1.2.4.55": "JPEG Full Progression (Process 10 and 12), retired in 2001",
  "1.2.840.10008.1.2.4.92": "JPEG 2000 Part 2 Multi-component Lossless Only",
  "1.2.840.10008.1.2.4.93": "JPEG 2000 Part 2 Multi-component",
  "1.2.840.10008.1.2.4.100": "MPEG2 Main Profile / Main Level",
  "1.2.840.10008.1.2.4.102": "MPEG-4 AVC/H.264 High Profile / Level 4.1",
  "1.2.840.10008.1.2.4.107": "HEVC/H.265 Main Profile / Level 5.1",
  "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
  "1.2.840.10008.1.2.4.112": "JPEG XL",
};

/** Throws PixelFault, naming the syntax. */
export function transferSyntax(uid: string): TransferSyntax {
  const known = transferSyntaxes[uid];
  if (known) return known;
  const name = uid === "" ? "no transfer syntax" : `transfer syntax ${others[uid] ? `${others[uid]} (${uid})` : uid}`;
  throw new PixelFault(
    `pixels in ${name} can't be decoded`,
    "unsupported",
    "Convert the file first: gdcmconv --raw IN OUT, or dcmdjpeg IN OUT.",
  );
}

const opened = new Map<() => Promise<Codec>, Promise<Codec>>();

/** A syntax's codec, opened once per thread. */
export function codecOf(syntax: TransferSyntax): Promise<Codec> {
  const known = opened.get(syntax.open);
  if (known) return known;
  const opening = syntax.open();
  opened.set(syntax.open, opening);
  return opening;
}

/** After a crash: the next frame gets a new codec, whose memory is in order. */
export function forgetCodec(syntax: TransferSyntax): void {
  opened.delete(syntax.open);
}
