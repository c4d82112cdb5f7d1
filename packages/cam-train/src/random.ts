import { createRng, type Rng } from "@camkit/cam-core/data";

/**
 * A generator that belongs to one use and nothing else: equal keys give equal numbers, whatever was drawn before and by whom.
 * So a run that was stopped draws on where it was, and a worker draws what any other worker would have drawn.
 *
 * @param seed the run's seed
 * @param keys what the numbers are for: `keyed(seed, "augment", epoch, index)`
 */
export function keyed(seed: number, ...keys: readonly (string | number)[]): Rng {
  let low = 0x9e3779b9;
  let high = 0x243f6a88;
  const take = (word: number) => {
    low = mixed(low ^ word, 0x85ebca6b);
    high = mixed(high + low, 0xc2b2ae35);
  };
  take(seed | 0);
  take(Math.floor(seed / 2 ** 32) | 0);
  for (const key of keys) {
    if (typeof key === "number") {
      take(key | 0);
      take(Math.floor(key / 2 ** 32) | 0);
    } else {
      for (let i = 0; i < key.length; i++) take(key.charCodeAt(i));
      take(-key.length); // "ab", "c" is not "a", "bc"
    }
  }
  // 53 bits are what a seed may hold; the rest goes into the stream.
  return createRng((low >>> 0) + (high & 0x1fffff) * 2 ** 32, high >>> 21);
}

/** A round of MurmurHash3's finaliser: every bit of the input reaches every bit of the output. */
function mixed(value: number, factor: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), factor);
  word = Math.imul(word ^ (word >>> 13), 0x27d4eb2f);
  return word ^ (word >>> 16);
}
