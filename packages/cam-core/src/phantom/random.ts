/**
 * A small random generator for phantoms: the same integer seed gives the same numbers on every machine and engine.
 *
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, 32-bit integer additions, shifts and xors only. The state
 * is { seed low, seed high, stream, 1 }, and the first 16 outputs are thrown away so that neighbouring seeds part ways.
 * What is built on it uses + - * / alone: those are exact by IEEE 754, while Math.sin may differ between engines.
 */
export interface Rng {
  /** An integer in 0 … 2³² − 1. */
  uint32(): number;
  /** A number in [0, 1). */
  unit(): number;
  /** A number in [low, high). */
  uniform(low: number, high: number): number;
  /** An integer in low … high, both included. */
  integer(low: number, high: number): number;
  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
  /** A new list in random order. */
  shuffle<T>(items: readonly T[]): T[];
  /** The cosine and sine of a uniform angle, without computing either. */
  direction(): Direction;
}

export interface Direction {
  readonly cos: number;
  readonly sin: number;
}

/**
 * @param seed   any safe integer (negative ones too)
 * @param stream separates uses of one seed: drawing more in one stream leaves the others unchanged
 */
export function createRng(seed: number, stream = 0): Rng {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a safe integer, found ${seed}`);
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = 1;

  const uint32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) uint32();

  const unit = (): number => uint32() / 2 ** 32;
  const integer = (low: number, high: number): number => low + Math.floor(unit() * (high - low + 1));
  return {
    uint32,
    unit,
    integer,
    uniform: (low, high) => low + (high - low) * unit(),
    pick: (items) => items[integer(0, items.length - 1)]!,
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = integer(0, i);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
    // von Neumann: a point in the unit disc has a uniform angle; doubling the angle needs no square root.
    direction: () => {
      for (;;) {
        const x = 2 * unit() - 1;
        const y = 2 * unit() - 1;
        const squared = x * x + y * y;
        if (squared > 0.01 && squared <= 1) return { cos: (x * x - y * y) / squared, sin: (2 * x * y) / squared };
      }
    },
  };
}
