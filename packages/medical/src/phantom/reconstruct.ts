import type { Rng } from "@camkit/cam-core/data";
import { normal } from "./chance.ts";

/**
 * Blurs rows and columns by `sigma` pixels, in place: passes with the weights [a, 1 - 2a, a], each of variance 2a.
 * `scratch` has a plane's size.
 */
export function blur(data: Float32Array, rows: number, columns: number, sigma: number, scratch: Float32Array): void {
  const variance = sigma * sigma;
  if (variance < 0.02) return;
  const passes = Math.ceil(variance / 0.5);
  const a = variance / passes / 2;
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      for (let j = 0; j < columns; j++) {
        const at = start + j;
        const left = j > 0 ? data[at - 1]! : data[at]!;
        const right = j < columns - 1 ? data[at + 1]! : data[at]!;
        scratch[at] = data[at]! + a * (left + right - 2 * data[at]!);
      }
    }
    for (let i = 0; i < rows; i++) {
      const up = i > 0 ? -columns : 0;
      const down = i < rows - 1 ? columns : 0;
      for (let at = i * columns; at < (i + 1) * columns; at++)
        data[at] = scratch[at]! + a * (scratch[at + up]! + scratch[at + down]! - 2 * scratch[at]!);
    }
  }
}

const side = 384;

/** A reconstruction's noise: correlated over a kernel's width, standard deviation 1. Each slice reads it elsewhere. */
export function noiseTile(sigma: number, rng: Rng): Float32Array {
  const tile = Float32Array.from({ length: side * side }, () => normal(rng));
  blur(tile, side, side, sigma, new Float32Array(side * side));
  let squares = 0;
  for (const value of tile) squares += value * value;
  const scale = 1 / Math.sqrt(squares / tile.length);
  return tile.map((value) => value * scale);
}

/**
 * Adds noise of `sigmaHu` to a slice: the sum of two places of the tile, so that no two slices look alike. It is smaller in the
 * air around the body and grows with the tissue that rays have to cross.
 */
export function addNoise(
  hu: Float32Array,
  skin: Float32Array,
  rows: number,
  columns: number,
  tile: Float32Array,
  sigmaHu: number,
  rng: Rng,
) {
  const [r1, c1, r2, c2] = [0, 0, 0, 0].map(() => rng.integer(0, side - 1)) as [number, number, number, number];
  for (let i = 0; i < rows; i++) {
    const a = ((i + r1) % side) * side;
    const b = ((i + r2) % side) * side;
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      const noise = (tile[a + ((j + c1) % side)]! + tile[b + ((j + c2) % side)]!) * Math.SQRT1_2;
      const depth = skin[at]!;
      hu[at] = hu[at]! + noise * sigmaHu * (depth < 0 ? 0.45 : 0.7 + (depth > 90 ? 0.5 : depth / 180));
    }
  }
}
