import type { Picture } from "./picture.ts";

type Interleaved = { readonly width: number; readonly height: number; readonly channels: number };

/**
 * 1 (grey), 2 (grey, alpha), 3 or 4 (RGB, alpha) channels as RGB on white: out = alpha * value + (1 - alpha) * 255.
 * `transparent`: whether that changed anything; many pictures carry an alpha channel that is opaque everywhere.
 */
export function onWhite(
  data: Uint8Array,
  { width, height, channels }: Interleaved,
): { rgb: Uint8Array; transparent: boolean } {
  if (channels === 3) return { rgb: data, transparent: false };
  const rgb = new Uint8Array(width * height * 3);
  const colors = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const hasAlpha = channels % 2 === 0;
  let transparent = false;
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    const alpha = hasAlpha ? data[from + channels - 1]! : 255;
    if (alpha < 255) transparent = true;
    for (let c = 0; c < 3; c++)
      rgb[to + c] = Math.round((alpha * data[from + colors[c]!]! + (255 - alpha) * 255) / 255);
  }
  return { rgb, transparent };
}

/** As a canvas has its pixels: an `ImageData`, RGBA, four bytes a pixel. */
export type RgbaPicture = { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };

/** What `getImageData` of a canvas gives, as a picture: on white where it is transparent, like decoded files. */
export function pictureOf({ width, height, data }: RgbaPicture): Picture {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return { width, height, rgb: onWhite(bytes, { width, height, channels: 4 }).rgb };
}

/** The bytes of a picture for a canvas: `new ImageData(rgbaOf(picture), picture.width)`. */
export function rgbaOf({ width, height, rgb }: Picture): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4)
    for (let c = 0; c < 3; c++) data[to + c] = rgb[from + c]!;
  return data;
}
