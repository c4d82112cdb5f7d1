import type { Instance } from "../instance.ts";
import { errorOf } from "./load-volume.ts";
import { type OpenPixels, openPixels, type StoredFrame } from "./open.ts";
import { type RgbPicture, rgbOf } from "./rgb.ts";
import { faultOf } from "./worker.ts";

type Source = Pick<Instance, "name" | "store" | "transferSyntaxUid" | "pixels">;

/**
 * An instance's frames one after the other, exactly as stored: neither rescaled nor windowed nor, but where a codec does so,
 * turned into other colours. In this thread; one frame is held at a time. `frames`: 0-based, all without it.
 * Throws PixelDataError, UnsupportedPixelsError, FileError.
 */
export const decodeFrames = (source: Source, frames?: Iterable<number>): AsyncGenerator<StoredFrame> =>
  each(source, frames, (pixels, index) => pixels.frame(index));

/**
 * The same for colour, as RGB with 8 bits: from RGB, YBR and palettes. Grey is refused, a window would have to be chosen.
 */
export const decodePictures = (source: Source, frames?: Iterable<number>): AsyncGenerator<RgbPicture> =>
  each(source, frames, async (pixels, index) => rgbOf(await pixels.frame(index), pixels));

async function* each<T>(
  source: Source,
  frames: Iterable<number> | undefined,
  make: (pixels: OpenPixels, index: number) => Promise<T>,
): AsyncGenerator<T> {
  const named = async <R>(act: () => R | Promise<R>): Promise<R> => {
    try {
      return await act();
    } catch (cause) {
      throw errorOf(source.name, faultOf(cause));
    }
  };
  const pixels = await named(() => openPixels(source));
  try {
    for (const index of frames ?? Array.from({ length: pixels.layout.numberOfFrames }, (_, i) => i))
      yield await named(() => make(pixels, index));
  } finally {
    pixels.close();
  }
}
