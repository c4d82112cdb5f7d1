import type { Instance, PixelLayout } from "../instance.ts";
import type { SampleArray } from "./codecs/codec.ts";
import { nativeFrameBytes } from "./codecs/native.ts";
import { framesOf, joined } from "./fragments.ts";
import { CodecCrash, PixelFault } from "./limits.ts";
import { locatePixels, type PixelElements } from "./locate.ts";
import { openReader } from "./reader.ts";
import { checkLayout, storedValues } from "./stored.ts";
import { codecOf, forgetCodec, type TransferSyntax, transferSyntax } from "./syntaxes.ts";

/** What of an instance its pixels need: it can be sent to a thread. */
export type PixelSource = Pick<Instance, "store" | "transferSyntaxUid" | "pixels">;

/** One frame as the file has it. */
export type StoredFrame = {
  /** [rows, columns, samples per pixel], pixel by pixel: stored values, neither rescaled nor windowed. */
  readonly samples: SampleArray;
  /** What the samples are now: codecs turn YBR into RGB. */
  readonly photometricInterpretation: string;
};

/** An instance's frames, one at a time. */
export type OpenPixels = {
  readonly layout: PixelLayout;
  readonly elements: PixelElements;
  /** 0-based. Throws PixelFault. */
  frame(index: number): Promise<StoredFrame>;
  close(): void;
};

/** Throws PixelFault, or what the file system says. */
export function openPixels({ store, transferSyntaxUid, pixels: layout }: PixelSource): OpenPixels {
  const syntax = transferSyntax(transferSyntaxUid);
  if (!layout) throw new PixelFault("the header says nothing of pixels: no rows, columns or bits");
  checkLayout(layout);
  const file = openReader(store);
  try {
    const elements = locatePixels(store, file, syntax, Math.ceil(nativeFrameBytes(layout) * layout.numberOfFrames));
    const bytesOf = syntax.encapsulated ? encapsulated(elements, layout) : native(elements, layout);
    return {
      layout,
      elements,
      async frame(index) {
        if (!(index >= 0 && index < layout.numberOfFrames))
          throw new PixelFault(`frame ${index + 1} is asked for, there are ${layout.numberOfFrames}`);
        return decode(bytesOf(index), layout, syntax, elements, index);
      },
      close: () => file.close(),
    };
  } catch (cause) {
    file.close();
    throw cause;
  }
}

async function decode(
  bytes: Uint8Array,
  layout: PixelLayout,
  syntax: TransferSyntax,
  { pixelData: { vr } }: PixelElements,
  index: number,
): Promise<StoredFrame> {
  const codec = await codecOf(syntax);
  try {
    const bitOffset = layout.bitsAllocated === 1 ? (nativeFrameBytes(layout) * 8 * index) % 8 : 0;
    const decoded = codec(bytes, layout, { littleEndian: syntax.littleEndian, vr, bitOffset });
    const { photometricInterpretation = layout.photometricInterpretation } = decoded;
    const expected = layout.rows * layout.columns * layout.samplesPerPixel;
    // OpenJPEG, for one, has no error for a truncated stream: it makes nothing of it.
    if (decoded.samples.length !== expected)
      throw new PixelFault(`the compressed frame gave ${decoded.samples.length} samples of ${expected}: it is damaged`);
    return { samples: storedValues(decoded, layout), photometricInterpretation };
  } catch (cause) {
    if (cause instanceof CodecCrash) forgetCodec(syntax);
    throw cause;
  }
}

function encapsulated(elements: PixelElements, layout: PixelLayout): (index: number) => Uint8Array {
  if (elements.pixelData.length !== undefined)
    throw new PixelFault(
      "pixel data that should come in fragments have a length: the transfer syntax isn't what is said",
    );
  const frames = framesOf(elements, layout.numberOfFrames);
  return (index) => joined(elements.reader, frames[index]!);
}

/** A frame's bytes; their number is checked first, so that no frame is asked for that isn't there. */
function native({ reader, pixelData }: PixelElements, layout: PixelLayout): (index: number) => Uint8Array {
  const { numberOfFrames, rows, columns, bitsAllocated } = layout;
  const { offset, length } = pixelData;
  if (length === undefined)
    throw new PixelFault("pixel data come in fragments, though the transfer syntax has none: it isn't what is said");
  const perFrame = nativeFrameBytes(layout);
  const expected = Math.ceil(perFrame * numberOfFrames);
  const excess = length - expected;
  if (excess < 0 || excess > Math.max(1, (columns * bitsAllocated) / 8))
    throw new PixelFault(
      `pixel data have ${length} bytes; ${numberOfFrames} frame${numberOfFrames === 1 ? "" : "s"} of ${rows} × ${columns} ` +
        `pixels with ${perFrame * 8} bits take ${expected}`,
    );
  return (index) => {
    const start = Math.floor(perFrame * index);
    return reader.read(offset + start, Math.ceil(perFrame * (index + 1)) - start);
  };
}
