import type { PixelLayout } from "../instance.ts";
import type { Decoded, SampleArray } from "./codecs/codec.ts";
import { limits, PixelFault } from "./limits.ts";

/** Refuses what no arithmetic can rest on. Throws PixelFault. */
export function checkLayout(layout: PixelLayout): void {
  const { rows, columns, samplesPerPixel, numberOfFrames, bitsAllocated, bitsStored, highBit } = layout;
  for (const [keyword, value] of Object.entries({ rows, columns, samplesPerPixel, numberOfFrames, bitsStored }))
    if (!Number.isInteger(value) || value < 1) throw new PixelFault(`the header says ${keyword}: ${value}`);
  if (bitsStored > bitsAllocated || highBit < bitsStored - 1 || highBit >= bitsAllocated)
    throw new PixelFault(
      `${bitsStored} bits up to bit ${highBit} don't fit into the ${bitsAllocated} that are allocated`,
    );
  const samples = rows * columns * samplesPerPixel;
  if (samples > limits.frameSamples)
    throw new PixelFault(
      `a frame of ${rows} × ${columns} × ${samplesPerPixel} = ${samples} samples: at most ${limits.frameSamples} are read`,
      "unsupported",
    );
}

/**
 * Samples → stored values: `bitsStored` bits that end with `highBit`, two's complement where the header says so: PS3.5, 8.1.1.
 * Other bits (overlays of old files) don't count. The array is used again where it can be.
 */
export function storedValues({ samples, precision }: Decoded, layout: PixelLayout): SampleArray {
  const { bitsStored, highBit } = layout;
  const signed = layout.pixelRepresentation === 1;
  const container = samples.BYTES_PER_ELEMENT * 8;
  // A stream of fewer bits than are allocated holds the values themselves.
  const shift = precision === layout.bitsAllocated ? highBit - bitsStored + 1 : 0;
  const bits = Math.min(bitsStored, precision);
  const isSigned = samples instanceof Int8Array || samples instanceof Int16Array || samples instanceof Int32Array;
  const fits = shift === 0 && precision <= bitsStored;
  if (fits && (isSigned === signed || bits === container))
    return isSigned === signed ? samples : viewed(samples, signed);

  const into = viewed(samples, signed);
  const up = 32 - bits;
  if (signed) for (let i = 0; i < samples.length; i++) into[i] = ((samples[i]! >> shift) << up) >> up;
  else for (let i = 0; i < samples.length; i++) into[i] = ((samples[i]! >> shift) << up) >>> up;
  return into;
}

/** The same memory, read with or without a sign. */
function viewed({ buffer, byteOffset, length, BYTES_PER_ELEMENT }: SampleArray, signed: boolean): SampleArray {
  if (BYTES_PER_ELEMENT === 1)
    return signed ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
  if (BYTES_PER_ELEMENT === 2)
    return signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  return signed ? new Int32Array(buffer, byteOffset, length) : new Uint32Array(buffer, byteOffset, length);
}
