import type { Plane } from "./decode.ts";
import type { Component, Header } from "./header.ts";
import type { HuffmanTable } from "./huffman.ts";
import { inverseDct } from "./idct.ts";

/** From the order in which coefficients are coded to rows of 8. */
// biome-ignore format: eight by eight
const zigzag = Uint8Array.of(
   0,  1,  8, 16,  9,  2,  3, 10,
  17, 24, 32, 25, 18, 11,  4,  5,
  12, 19, 26, 33, 40, 48, 41, 34,
  27, 20, 13,  6,  7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36,
  29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
);

/** Reads the coded blocks into `planes`. False where something isn't as it should be: a wrong code, an early end, bytes left. */
export function readScan(
  bytes: Uint8Array,
  { components, mcusAcross, mcusDown, scanStart }: Header,
  planes: readonly Plane[],
): boolean {
  const bits = bitReader(bytes, scanStart);
  const block = new Int32Array(64);
  const last = components.map(() => 0); // DC is coded as the difference to the block before
  for (let mcu = 0; mcu < mcusAcross * mcusDown; mcu++)
    for (let c = 0; c < components.length; c++) {
      const component = components[c]!;
      const { across, down } = component;
      const { samples, stride } = planes[c]!;
      for (let i = 0; i < across * down; i++) {
        const coefficients = readBlock(bits, component, last[c]!, block);
        if (coefficients === 0) return false;
        last[c] = block[0]!;
        block[0] = block[0]! * component.quantization[0]!;
        const x = ((mcu % mcusAcross) * across + (i % across)) * 8;
        const y = (Math.floor(mcu / mcusAcross) * down + Math.floor(i / across)) * 8;
        if (!inverseDct(block, coefficients === 1, samples, y * stride + x, stride)) return false;
      }
    }
  return bits.isAtEnd();
}

/**
 * One block of coefficients, dequantised but for the first. How many of them may be other than 0, in coded order; 0 where the
 * bits are no block.
 */
function readBlock(bits: BitReader, { quantization, dc, ac }: Component, before: number, block: Int32Array): number {
  block.fill(0);
  const size = bits.symbol(dc);
  if (size > 11) return 0;
  block[0] = before + bits.signed(size);
  for (let k = 1; k < 64; k++) {
    const coded = bits.symbol(ac);
    const length = coded & 15;
    if (length === 0 && coded !== 0xf0) return coded === 0 ? k : 0; // 0: the rest is zero
    k += coded >> 4; // so many zeros come first; 0xf0 is sixteen of them
    if (k > 63) return 0;
    if (length > 0) block[zigzag[k]!] = bits.signed(length) * quantization[k]!;
  }
  return 64;
}

type BitReader = ReturnType<typeof bitReader>;

/** Bits, the highest first; a zero that follows 0xff in the data is dropped. */
function bitReader(bytes: Uint8Array, start: number) {
  let at = start;
  let held = 0; // the next `count` bits, right-aligned
  let count = 0;
  let invented = 0; // bits beyond the end, 0

  /** Makes at least 16 bits ready. */
  const fill = () => {
    while (count < 16) {
      let byte = bytes[at] ?? 0xff;
      if (byte !== 0xff) at++;
      else if (bytes[at + 1] === 0) at += 2;
      else {
        byte = 0;
        invented += 8;
      }
      held = ((held & 0xffff) << 8) | byte;
      count += 8;
    }
  };

  return {
    symbol({ fast, limits, offsets, symbols }: HuffmanTable): number {
      if (count < 16) fill();
      const found = fast[(held >> (count - 8)) & 0xff]!;
      if (found !== 0) {
        count -= found >> 8;
        return found & 0xff;
      }
      for (let length = 9; length <= 16; length++) {
        const code = (held >> (count - length)) & ((1 << length) - 1);
        if (code < limits[length]!) {
          count -= length;
          return symbols[code + offsets[length]!]!;
        }
      }
      return 0x100; // no code: larger than any symbol, so refused
    },

    /** A number of `length` bits; those that begin with 0 are negative (T.81, table F.1). */
    signed(length: number): number {
      if (length === 0) return 0;
      if (count < 16) fill();
      count -= length;
      const value = (held >> count) & ((1 << length) - 1);
      return value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
    },

    /** Whether all that is left is the filling of the last byte, and the marker that ends the picture. */
    isAtEnd(): boolean {
      const left = count - invented;
      return left >= 0 && left < 8 && bytes[at] === 0xff && bytes[at + 1] === 0xd9;
    },
  };
}
