import type { Picture } from "@camkit/cam-core";
import { toRgb } from "./color.ts";
import { type Header, readHeader } from "./header.ts";
import { readScan } from "./scan.ts";

/** From this many pixels on, sharp's SIMD makes up for what it costs to ask sharp: half a millisecond to one a picture. */
const mostPixels = 128 * 128;

/**
 * A small plain JPEG as `decodePicture` decodes it, bit for bit (libjpeg's exact integer transform and smooth upsampling), in
 * a tenth of its time. Undefined for all else, and for anything that isn't in perfect order: ask `decodePicture`, which knows
 * every kind and what to say of a damaged one.
 *
 * Plain is: 8 bits, baseline, grey or YCbCr in one scan, chroma at full or half resolution, no EXIF (it may turn the picture).
 * Source: ITU-T T.81; libjpeg-turbo's jidctint.c, jdsample.c, jdcolor.c.
 */
export function decodeSmallJpeg(bytes: Uint8Array): Picture | undefined {
  const header = readHeader(bytes);
  if (header === undefined || header.width * header.height > mostPixels) return undefined;
  const planes = planesOf(header);
  return readScan(bytes, header, planes) ? toRgb(header, planes) : undefined;
}

/** The samples of one component, in whole blocks. */
export type Plane = { readonly stride: number; readonly samples: Uint8Array };

function planesOf({ components, mcusAcross, mcusDown }: Header): Plane[] {
  return components.map(({ across, down }) => {
    const stride = mcusAcross * across * 8;
    return { stride, samples: new Uint8Array(stride * mcusDown * down * 8) };
  });
}
