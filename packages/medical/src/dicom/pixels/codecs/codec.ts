import type { PixelLayout } from "../../instance.ts";
import { PixelFault } from "../limits.ts";

export type SampleArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** What a codec makes of one frame. */
export type Decoded = {
  /** [rows, columns, samples per pixel], whatever order the file had. */
  readonly samples: SampleArray;
  /** Bits that may differ from 0; all bits of the array where a codec can't say. */
  readonly precision: number;
  /** Where the codec changed the colours, what they are now. */
  readonly photometricInterpretation?: string;
};

/** Where a frame's bytes stood, for those codecs that need it. */
export type Surroundings = {
  readonly littleEndian: boolean;
  /** The VR of Pixel Data. */
  readonly vr: string;
  /** Bits of a 1-bit frame's first byte that belong to the frame before. */
  readonly bitOffset: number;
};

/** One frame's bytes → its samples. Throws PixelFault. The bytes are only lent. */
export type Codec = (bytes: Uint8Array, layout: PixelLayout, where: Surroundings) => Decoded;

/** Whether a compressed stream is of the size that the header says: checked before memory is taken for it. */
export function checkSize(
  layout: PixelLayout,
  stream: { readonly rows: number; readonly columns: number; readonly samplesPerPixel: number },
): void {
  const text = ({ rows, columns, samplesPerPixel }: typeof stream) =>
    `${rows} × ${columns} pixels of ${samplesPerPixel} sample${samplesPerPixel === 1 ? "" : "s"}`;
  if (text(stream) !== text(layout))
    throw new PixelFault(`the compressed frame has ${text(stream)}, the header says ${text(layout)}`);
}

/** Whether a stream has its end marker, FF D9. Padding may follow. */
export function checkEnd(stream: Uint8Array): void {
  const last = stream.subarray(-16);
  for (let at = 0; at + 1 < last.length; at++) if (last[at] === 0xff && last[at + 1] === 0xd9) return;
  throw new PixelFault("the compressed frame has no end marker, FF D9: it is truncated");
}
