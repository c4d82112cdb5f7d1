import { createRng, type Rng } from "@camkit/cam-core/data";

/** What a seed's numbers are for: drawing more of one leaves the others unchanged. */
export const streams = { anatomy: 11, texture: 12, vessels: 13, lesions: 14, distractors: 15, grid: 16, noise: 17 };

export const chance = (seed: number, use: keyof typeof streams): Rng => createRng(seed, streams[use]);

/**
 * A nearly normal number, mean 0 and variance 1: the sum of four uniform ones. It needs neither logarithm nor cosine, which
 * differ between engines; everything drawn here uses + - * / and sqrt alone, exact by IEEE 754.
 */
export const normal = (rng: Rng): number => (rng.unit() + rng.unit() + rng.unit() + rng.unit() - 2) * Math.sqrt(3);

/** 0 below 0, 1 above 1, 3x² - 2x³ between. */
export function smoothstep(x: number): number {
  if (x <= 0) return 0;
  return x >= 1 ? 1 : x * x * (3 - 2 * x);
}

/** The cube root of a positive number by Newton's method, for the same bits on every machine. */
export function cubeRoot(x: number): number {
  let root = x > 1 ? x / 3 + 0.7 : 0.3 + 0.7 * x;
  for (let i = 0; i < 40; i++) root -= (root - x / (root * root)) / 3;
  return root;
}
