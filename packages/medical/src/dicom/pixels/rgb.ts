import type { DataElement } from "../elements.ts";
import { PixelFault } from "./limits.ts";
import type { PixelElements } from "./locate.ts";
import type { OpenPixels, StoredFrame } from "./open.ts";

/** A picture for showing. */
export type RgbPicture = {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns, 3] */
  readonly data: Uint8Array;
};

/** Throws PixelFault for grey, and for what isn't 8 bits. */
export function rgbOf(frame: StoredFrame, { layout, elements }: OpenPixels): RgbPicture {
  const { rows, columns, samplesPerPixel, bitsStored } = layout;
  const { samples, photometricInterpretation: colours } = frame;
  if (colours === "PALETTE COLOR" && samplesPerPixel === 1)
    return { rows, columns, data: fromPalette(samples, elements) };
  const convert = converters[colours];
  if (!convert || samplesPerPixel !== 3 || bitsStored !== 8)
    throw new PixelFault(
      `a colour picture is wanted; this is ${colours} with ${samplesPerPixel} × ${bitsStored} bits`,
      "unsupported",
      "Read grey values with decodeFrames, and choose a window.",
    );
  return { rows, columns, data: convert(samples) };
}

const converters: Readonly<Record<string, (samples: ArrayLike<number>) => Uint8Array>> = {
  RGB: (samples) => Uint8Array.from(samples),
  YBR_FULL: fromYbr,
  YBR_FULL_422: fromYbr, // chroma is at every pixel by now
};

/** PS3.3, C.7.6.3.1.2: the inverse of full-range YCbCr, ITU-R BT.601. */
function fromYbr(samples: ArrayLike<number>): Uint8Array {
  const data = new Uint8ClampedArray(samples.length);
  for (let i = 0; i < samples.length; i += 3) {
    const y = samples[i]!;
    const cb = samples[i + 1]! - 128;
    const cr = samples[i + 2]! - 128;
    data[i] = y + 1.402 * cr;
    data[i + 1] = y - 0.344136 * cb - 0.714136 * cr;
    data[i + 2] = y + 1.772 * cb;
  }
  return new Uint8Array(data.buffer);
}

function fromPalette(samples: ArrayLike<number>, { palette }: PixelElements): Uint8Array {
  if (palette.length !== 3)
    throw new PixelFault("a palette is missing, or segmented, which isn't supported", "unsupported");
  const data = new Uint8Array(samples.length * 3);
  for (const [channel, { descriptor, table }] of palette.entries()) {
    const { first, entries } = readPalette(descriptor, table);
    for (let i = 0; i < samples.length; i++)
      data[3 * i + channel] = entries[Math.min(Math.max(samples[i]! - first, 0), entries.length - 1)]!;
  }
  return data;
}

/** One colour's table, 8 bits: PS3.3, C.7.6.3.1.5 and C.7.6.3.1.6. Values below the first entry get that, those above the last. */
function readPalette(descriptor: DataElement, table: DataElement): { first: number; entries: ArrayLike<number> } {
  const [count = 0, first = 0, bits = 0] = words(descriptor);
  const length = count || 65536;
  if (table.bytes.length < length || (bits !== 8 && bits !== 16))
    throw new PixelFault(`a palette says ${length} entries of ${bits} bits, and has ${table.bytes.length} bytes`);
  const packed = table.bytes.length < 2 * length;
  const entries = packed ? table.bytes : words(table).map((value) => (bits === 16 ? value >> 8 : value & 255));
  return { first, entries: entries.slice(0, length) };
}

function words({ bytes, littleEndian }: DataElement): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 1 }, (_, i) => view.getUint16(2 * i, littleEndian));
}
