import { createRng } from "../phantom/random.ts";

/**
 * Positions by value, the greatest first, of equal values the one with the lowest index first. A radix sort on the bits, four
 * times faster than a comparison at a million positions, and stable by nature. NaN must not occur.
 */
export function descendingOrder(values: Float32Array): Uint32Array {
  const count = values.length;
  // −0 becomes 0, then bits are turned so that their unsigned order is the descending order of the numbers.
  const keys = new Uint32Array(Float32Array.from(values, (value) => value + 0).buffer);
  for (let i = 0; i < count; i++) {
    const bits = keys[i]!;
    keys[i] = bits >>> 31 ? bits : ~bits & 0x7fffffff;
  }
  let order = Uint32Array.from({ length: count }, (_, i) => i);
  let next = new Uint32Array(count);
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    for (let i = 0; i < count; i++) starts[((keys[i]! >>> shift) & 0xffff) + 1]!++;
    for (let digit = 0; digit < 65536; digit++) starts[digit + 1]! += starts[digit]!;
    for (let i = 0; i < count; i++) {
      const position = order[i]!;
      next[starts[(keys[position]! >>> shift) & 0xffff]!++] = position;
    }
    [order, next] = [next, order];
  }
  return order;
}

/** All positions in an order that depends on the seed alone. */
export function randomOrder(count: number, seed: number): Uint32Array {
  const rng = createRng(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.integer(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The share of positions that lie in a group of more than `step` equal values: within it, the index alone decides the order. */
export function tiedShare(values: Float32Array, order: Uint32Array, step: number): number {
  let tied = 0;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    if (to - from > step) tied += to - from;
    from = to;
  }
  return order.length === 0 ? 0 : tied / order.length;
}
