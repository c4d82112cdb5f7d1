import { expect, test } from "vitest";
import { createRng } from "./random.ts";

test("sfc32 as published: an independent implementation gives these outputs for state (1, 2, 0, 1)", () => {
  // seed = 2 * 2³² + 1, stream 0; after 16 discarded outputs. BigInt arithmetic, written from the reference C code.
  const mask = 0xffffffffn;
  let [a, b, c, counter] = [1n, 2n, 0n, 1n];
  const reference = (): bigint => {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) | (c >> 11n)) + sum) & mask;
    return sum;
  };
  for (let i = 0; i < 16; i++) reference();
  const rng = createRng(2 * 2 ** 32 + 1);
  for (let i = 0; i < 1000; i++) expect(BigInt(rng.uint32())).toBe(reference());
});

test("neighbouring seeds and streams share nothing", () => {
  const first = (seed: number, stream?: number): number => createRng(seed, stream).uint32();
  const seen = new Set<number>();
  for (let seed = -500; seed < 500; seed++) for (const stream of [0, 1, 2]) seen.add(first(seed, stream));
  expect(seen.size).toBe(3000);
});

test("integers and directions are uniform", () => {
  const rng = createRng(7);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[rng.integer(0, 5)]!++;
  // Chi-square with 5 degrees of freedom stays under 20.5 in 99.9 % of all cases.
  expect(counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(20.5);

  const octants = new Array<number>(8).fill(0);
  for (let i = 0; i < 8000; i++) {
    const { cos, sin } = rng.direction();
    expect(cos * cos + sin * sin).toBeCloseTo(1, 12);
    octants[Math.floor((Math.atan2(sin, cos) / Math.PI + 1) * 4) % 8]!++;
  }
  // 7 degrees of freedom: under 24.3.
  expect(octants.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(24.3);
});

test("shuffle keeps the items and leaves the list alone", () => {
  const items = [1, 2, 3, 4, 5];
  expect(createRng(3).shuffle(items).sort()).toEqual(items);
  expect(items).toEqual([1, 2, 3, 4, 5]);
});

test("a seed that is no integer is refused", () => {
  expect(() => createRng(0.5)).toThrow(/safe integer, found 0.5/);
});
