import { PixelFault } from "../limits.ts";

/** Bits that the first look takes: 4096 entries stay in the nearest cache, and hold all of most differences. */
export const lookBits = 12;

/**
 * A Huffman table of ITU-T T.81, C.2, for looking up instead of walking.
 *
 * Its symbols are categories: how many bits of a difference follow (F.1.2.1). Where code and bits fit into `lookBits` together,
 * `whole` has the difference itself.
 */
export type HuffmanTable = {
  /** By the next `lookBits` bits: difference · 32 + bits taken; 0 where they don't fit, or no code begins so. */
  readonly whole: Int32Array;
  /** By the next 16 bits: symbol · 32 + the code's length; 0 where no code begins so. Made when first needed. */
  codes(): Uint16Array;
};

/** counts[i]: codes of length i + 1. Throws PixelFault where they aren't a prefix code. */
export function buildTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const codes: { code: number; length: number; symbol: number }[] = [];
  let code = 0;
  for (let length = 1, k = 0; length <= 16; length++, code <<= 1) {
    for (let i = 0; i < counts[length - 1]!; i++) codes.push({ code: code++, length, symbol: symbols[k++]! });
    if (code > 1 << length)
      throw new PixelFault("a Huffman table of the JPEG stream has more codes than bits for them");
  }

  const whole = new Int32Array(1 << lookBits);
  for (const { code, length, symbol } of codes) {
    const taken = length + (symbol === 16 ? 0 : symbol);
    if (taken > lookBits || symbol > 16) continue;
    const spare = lookBits - taken;
    const values = 1 << (taken - length);
    for (let bits = 0; bits < values; bits++) {
      const entry = (extended(symbol, bits) << 5) | taken;
      const first = ((code << (taken - length)) | bits) << spare;
      whole.fill(entry, first, first + (1 << spare));
    }
  }

  let wide: Uint16Array | undefined;
  return {
    whole,
    codes() {
      if (wide) return wide;
      wide = new Uint16Array(1 << 16);
      for (const { code, length, symbol } of codes) {
        const spare = 16 - length;
        wide.fill((symbol << 5) | length, code << spare, (code + 1) << spare);
      }
      return wide;
    },
  };
}

/** The difference of a category and its bits: T.81, F.2.2.1, EXTEND; category 16 of lossless frames has none: H.1.2.2. */
export function extended(category: number, bits: number): number {
  if (category === 16) return 32768;
  return category > 0 && bits < 1 << (category - 1) ? bits - (1 << category) + 1 : bits;
}
