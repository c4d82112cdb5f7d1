import { type Rescale, type Rescaled, rescale } from "../hounsfield.ts";
import type { PixelLayout } from "../instance.ts";
import { PixelFault } from "./limits.ts";
import { openPixels, type PixelSource } from "./open.ts";

/** Frames of one instance and where in a volume they go: what a thread is asked. */
export type Job = {
  readonly source: PixelSource;
  readonly slices: readonly { readonly frame: number; readonly k: number; readonly rescale: Rescale }[];
  readonly volume: SharedVolume;
};

/** Memory that all threads write into, each its own slices. */
export type SharedVolume = {
  readonly buffer: SharedArrayBuffer;
  readonly type: "int16" | "float32";
  readonly rows: number;
  readonly columns: number;
};

/** One slice of it. */
export function sliceOf({ buffer, type, rows, columns }: SharedVolume, k: number): Int16Array | Float32Array {
  const size = rows * columns;
  return type === "int16" ? new Int16Array(buffer, k * size * 2, size) : new Float32Array(buffer, k * size * 4, size);
}

/** Decodes and rescales. Throws PixelFault, or what the file system says. */
export async function runJob({ source, slices, volume }: Job): Promise<Rescaled[]> {
  const pixels = openPixels(source);
  try {
    checkGrey(pixels.layout, volume);
    const results: Rescaled[] = [];
    for (const { frame, k, rescale: how } of slices) {
      const { samples } = await pixels.frame(frame);
      results.push(rescale(samples, sliceOf(volume, k), how));
    }
    return results;
  } finally {
    pixels.close();
  }
}

function checkGrey(layout: PixelLayout, volume: SharedVolume): void {
  const { samplesPerPixel, photometricInterpretation, rows, columns } = layout;
  if (samplesPerPixel !== 1 || !photometricInterpretation.startsWith("MONOCHROME"))
    throw new PixelFault(
      `a volume needs one grey value per pixel; these are ${photometricInterpretation} with ${samplesPerPixel}`,
      "unsupported",
      "Take colour pictures one by one: decodePictures.",
    );
  if (rows !== volume.rows || columns !== volume.columns)
    throw new PixelFault(`a slice of ${rows} × ${columns} pixels in a volume of ${volume.rows} × ${volume.columns}`);
}
