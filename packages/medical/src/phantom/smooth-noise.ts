import type { Rng } from "@camkit/cam-core/data";

const size = 32;
const wrap = size - 1;

/** Smooth noise in space: random numbers in [-1, 1] at whole positions, repeated every 32, between them joined smoothly. */
export type SmoothNoise = Float32Array;

export function smoothNoise(rng: Rng): SmoothNoise {
  return Float32Array.from({ length: size ** 3 }, () => 2 * rng.unit() - 1);
}

/** The value at (x, y, z): trilinear in positions that smoothstep has bent, so that its slope is continuous. */
export function noiseAt(table: SmoothNoise, x: number, y: number, z: number): number {
  const [fx, fy, fz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  let u = x - fx;
  let v = y - fy;
  let w = z - fz;
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  w = w * w * (3 - 2 * w);
  const x0 = fx & wrap;
  const x1 = (fx + 1) & wrap;
  const y0 = (fy & wrap) * size;
  const y1 = ((fy + 1) & wrap) * size;
  const z0 = (fz & wrap) * size * size;
  const z1 = ((fz + 1) & wrap) * size * size;
  const a = table[z0 + y0 + x0]! * (1 - u) + table[z0 + y0 + x1]! * u;
  const b = table[z0 + y1 + x0]! * (1 - u) + table[z0 + y1 + x1]! * u;
  const c = table[z1 + y0 + x0]! * (1 - u) + table[z1 + y0 + x1]! * u;
  const d = table[z1 + y1 + x0]! * (1 - u) + table[z1 + y1 + x1]! * u;
  return (a * (1 - v) + b * v) * (1 - w) + (c * (1 - v) + d * v) * w;
}
