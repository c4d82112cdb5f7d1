import { PixelFault } from "../limits.ts";
import type { Codec, SampleArray } from "./codec.ts";

const headerBytes = 64;
const arrays = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array } as const;

/**
 * RLE Lossless: PackBits of byte planes, the highest byte of each sample first, all of one component before the next: PS3.5,
 * annex G.
 */
export const decode: Codec = (bytes, layout) => {
  const { rows, columns, samplesPerPixel, bitsAllocated } = layout;
  const Samples = arrays[bitsAllocated as 8 | 16 | 32];
  if (!Samples) throw new PixelFault(`RLE with ${bitsAllocated} bits allocated: 8, 16 and 32 are legal`);
  const bytesPerSample = bitsAllocated / 8;
  const expected = samplesPerPixel * bytesPerSample;
  const starts = segmentStarts(bytes, expected);
  const pixels = rows * columns;
  const out = new Uint8Array(pixels * expected);
  for (let segment = 0; segment < expected; segment++) {
    const component = Math.floor(segment / bytesPerSample);
    const byte = bytesPerSample - 1 - (segment % bytesPerSample); // little endian in memory
    const data = bytes.subarray(starts[segment]!, starts[segment + 1]!);
    const found = unpack(data, out, component * bytesPerSample + byte, expected, pixels);
    if (found < pixels)
      throw new PixelFault(`RLE segment ${segment + 1} of ${expected} ends after ${found} of ${pixels} pixels`);
  }
  const samples: SampleArray = new Samples(out.buffer);
  return { samples, precision: bitsAllocated };
};

/** Where each segment begins; one more: where the last ends. */
function segmentStarts(bytes: Uint8Array, expected: number): number[] {
  if (bytes.length < headerBytes)
    throw new PixelFault(`an RLE frame of ${bytes.length} bytes: its header alone takes 64`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  if (count !== expected)
    throw new PixelFault(`an RLE frame with ${count} segments: its header's bits need ${expected}`);
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 * (i + 1), true)).concat(bytes.length);
  for (let i = 0; i < count; i++)
    if (starts[i]! < headerBytes || starts[i]! > starts[i + 1]!)
      throw new PixelFault(`RLE segment ${i + 1} lies at bytes ${starts[i]} to ${starts[i + 1]} of ${bytes.length}`);
  return starts;
}

/** Writes every `step`-th byte, at most `count` of them. Returns how many there were. */
function unpack(data: Uint8Array, into: Uint8Array, start: number, step: number, count: number): number {
  let done = 0;
  let to = start;
  for (let at = 0; at < data.length && done < count; ) {
    const n = data[at++]!;
    if (n < 128) {
      for (let i = Math.min(n + 1, count - done, data.length - at); i > 0; i--, done++, to += step)
        into[to] = data[at++]!;
    } else if (n > 128 && at < data.length) {
      const value = data[at++]!;
      for (let i = Math.min(257 - n, count - done); i > 0; i--, done++, to += step) into[to] = value;
    }
  }
  return done;
}
