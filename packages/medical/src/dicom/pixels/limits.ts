/**
 * What is refused before memory is taken for it: the numbers stand in a header, and a header may say anything.
 */
export const limits = {
  /** Samples of one frame: 8192 × 8192, the largest mammograms are half that. */
  frameSamples: 2 ** 26,
  /** Voxels of one volume: 4096 slices of 512 × 512. */
  volumeVoxels: 2 ** 30,
  /** Bytes that a deflated data set may grow to, beside its pixels. */
  inflatedHeader: 2 ** 26,
} as const;

/**
 * What is wrong with a file's pixels, in words: thrown by readers and decoders, which don't know the file's name.
 * The room's doors add it and throw PixelDataError or TransferSyntaxError.
 */
export class PixelFault extends Error {
  constructor(
    message: string,
    readonly kind: "damaged" | "unsupported" = "damaged",
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A codec crashed: its memory may be in disorder, so it isn't used again. */
export class CodecCrash extends PixelFault {}
