import type { PixelLayout } from "../../instance.ts";
import { PixelFault } from "../limits.ts";
import type { Codec, SampleArray } from "./codec.ts";

/** Pixels as they are: 1, 8, 16 or 32 bits allocated, either byte order, PS3.5, 8.1 and 8.2. */
export const decode: Codec = (bytes, layout, { littleEndian, vr, bitOffset }) => {
  const { rows, columns, samplesPerPixel, bitsAllocated, planarConfiguration, photometricInterpretation } = layout;
  if (bitsAllocated === 1) return { samples: bits(bytes, rows * columns * samplesPerPixel, bitOffset), precision: 1 };
  const samples = words(bytes, bitsAllocated, littleEndian, vr);
  if (photometricInterpretation === "YBR_FULL_422" && samplesPerPixel === 3)
    return { samples: fullChroma(samples, rows * columns), precision: bitsAllocated };
  return {
    samples: planarConfiguration === 1 && samplesPerPixel > 1 ? interleaved(samples, samplesPerPixel) : samples,
    precision: bitsAllocated,
  };
};

/** Bytes of one frame, which need not be whole ones with 1 bit allocated. YBR_FULL_422 has two chroma samples for two pixels. */
export function nativeFrameBytes(layout: PixelLayout): number {
  const { rows, columns, samplesPerPixel, bitsAllocated, photometricInterpretation } = layout;
  const perPixel = photometricInterpretation === "YBR_FULL_422" && samplesPerPixel === 3 ? 2 : samplesPerPixel;
  return (rows * columns * perPixel * bitsAllocated) / 8;
}

const arrays = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array } as const;

/** A copy, in this machine's byte order: what came in is only lent. */
function words(bytes: Uint8Array, bitsAllocated: number, littleEndian: boolean, vr: string): SampleArray {
  const Words = arrays[bitsAllocated as 8 | 16 | 32];
  if (!Words) throw new PixelFault(`${bitsAllocated} bits allocated: 1, 8, 16 and 32 are supported`, "unsupported");
  const copy = new Uint8Array(bytes); // its buffer begins where it begins
  if (!littleEndian) {
    const swapped = Buffer.from(copy.buffer);
    if (bitsAllocated === 32) swapped.swap32();
    // 8-bit pixels in big-endian words (OW) come in swapped pairs: PS3.5, annex A.3.
    else if (bitsAllocated === 16 || (vr === "OW" && swapped.length % 2 === 0)) swapped.swap16();
  }
  return new Words(copy.buffer, 0, copy.length / Words.BYTES_PER_ELEMENT);
}

/** The first pixel is the lowest bit of a byte. */
function bits(bytes: Uint8Array, count: number, offset: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (bytes[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1);
}

/** Plane after plane → pixel after pixel. */
export function interleaved<T extends SampleArray>(samples: T, planes: number): T {
  const into = samples.slice() as T;
  const size = samples.length / planes;
  for (let plane = 0; plane < planes; plane++)
    for (let i = 0; i < size; i++) into[i * planes + plane] = samples[plane * size + i]!;
  return into;
}

/** Y Y Cb Cr for two pixels → Y Cb Cr each: PS3.3, C.7.6.3.1.2. Chroma is that of the pair, as the standard places it. */
function fullChroma(samples: SampleArray, pixels: number): SampleArray {
  const into = new Uint8Array(pixels * 3);
  for (let pair = 0; pair * 2 < pixels; pair++) {
    const [y0, y1, cb, cr] = samples.subarray(pair * 4, pair * 4 + 4);
    into.set([y0!, cb!, cr!, y1!, cb!, cr!].slice(0, (pixels - pair * 2) * 3), pair * 6);
  }
  return into;
}
