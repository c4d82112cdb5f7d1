/**
 * Element types that no typed array has: integers of 2 and 4 bits, and real numbers of 4 and 8. Their tensors hold the codes as
 * files do, several in a byte where they fit, the first in the lowest bits.
 */

/** How many bits of a code are its exponent and its fraction, below the sign, and the exponent of 1. */
type Small = { readonly exponent: number; readonly fraction: number; readonly bias: number };

type Narrow = {
  readonly bits: 2 | 4 | 8;
  /** The number that a code stands for. */
  readonly read: (code: number) => number;
  /** The smallest and the largest of them; infinity isn't one. */
  readonly range: readonly [number, number];
};

const unsigned = (bits: 2 | 4): Narrow => ({ bits, read: (code) => code, range: [0, 2 ** bits - 1] });

const signed = (bits: 2 | 4): Narrow => {
  const half = 2 ** (bits - 1);
  return { bits, read: (code) => (code < half ? code : code - 2 * half), range: [-half, half - 1] };
};

/** `special`: what a code is that doesn't follow the rule, infinity or no number; undefined for all others. */
function real(
  bits: 4 | 8,
  { exponent, fraction, bias }: Small,
  largest: number,
  special: (code: number) => number | undefined,
): Narrow {
  const read = (code: number) => {
    const sign = code >> (exponent + fraction) === 0 ? 1 : -1;
    const power = (code >> fraction) & (2 ** exponent - 1);
    const part = (code & (2 ** fraction - 1)) / 2 ** fraction;
    return special(code) ?? sign * (power === 0 ? part * 2 ** (1 - bias) : (1 + part) * 2 ** (power - bias));
  };
  return { bits, read, range: [-largest, largest] };
}

const nan = (...codes: number[]) => {
  return (code: number) => (codes.includes(code) ? Number.NaN : undefined);
};

/** An exponent of ones: infinity without a fraction, else no number, as in IEEE 754. */
const ieee = (code: number) => {
  if ((code & 0x7c) !== 0x7c) return undefined;
  return (code & 3) > 0 ? Number.NaN : code < 0x80 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
};

const narrow = {
  uint2: unsigned(2),
  int2: signed(2),
  uint4: unsigned(4),
  int4: signed(4),
  float4e2m1: real(4, { exponent: 2, fraction: 1, bias: 1 }, 6, nan()),
  float8e4m3fn: real(8, { exponent: 4, fraction: 3, bias: 7 }, 448, nan(0x7f, 0xff)),
  // "uz": no minus zero, whose code is what is no number.
  float8e4m3fnuz: real(8, { exponent: 4, fraction: 3, bias: 8 }, 240, nan(0x80)),
  float8e5m2: real(8, { exponent: 5, fraction: 2, bias: 15 }, 57344, ieee),
  float8e5m2fnuz: real(8, { exponent: 5, fraction: 2, bias: 16 }, 57344, nan(0x80)),
  // Powers of two alone: scales of blocks.
  float8e8m0: {
    bits: 8,
    read: (code: number) => (code === 0xff ? Number.NaN : 2 ** (code - 127)),
    range: [2 ** -127, 2 ** 127],
  },
} satisfies Record<string, Narrow>;

export type NarrowType = keyof typeof narrow;

export function isNarrow(dtype: string): dtype is NarrowType {
  return Object.hasOwn(narrow, dtype);
}

/** The smallest and the largest number of a type. */
export function rangeOf(dtype: NarrowType): readonly [number, number] {
  return narrow[dtype].range;
}

/** The codes of so many elements, one in each byte. */
export function codesIn(dtype: NarrowType, bytes: Uint8Array, count: number): Uint8Array {
  const { bits } = narrow[dtype];
  const each = 8 / bits;
  return Uint8Array.from({ length: count }, (_, i) => {
    return (bytes[Math.floor(i / each)]! >> (bits * (i % each))) & (2 ** bits - 1);
  });
}

/** Codes as a file holds them. */
export function packed(dtype: NarrowType, codes: Uint8Array): Uint8Array {
  const { bits } = narrow[dtype];
  const each = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(codes.length / each));
  for (const [i, code] of codes.entries()) bytes[Math.floor(i / each)]! |= code << (bits * (i % each));
  return bytes;
}

/** The numbers that so many codes stand for. */
export function numbersOfCodes(dtype: NarrowType, bytes: Uint8Array, count: number): number[] {
  return Array.from(codesIn(dtype, bytes, count), narrow[dtype].read);
}
