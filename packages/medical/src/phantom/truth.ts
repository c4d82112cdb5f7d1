import type { Geometry } from "../volume/geometry.ts";

/** How well a map over a scan agrees with masks of it; arrays are [slices, rows, columns] of one grid. */

/**
 * Pointing: whether the map's maximum lies in a lesion. Where several voxels share the maximum, the share of them inside, so that
 * a map that is flat there earns what chance would. NaN without a lesion: normal cases don't count.
 */
export function pointing(map: ArrayLike<number>, lesion: Uint8Array): number {
  if (!lesion.some((inside) => inside !== 0)) return Number.NaN;
  let most = -Infinity;
  let [tied, inside] = [0, 0];
  for (let at = 0; at < map.length; at++) {
    const value = map[at]!;
    if (value < most) continue;
    if (value > most) [most, tied, inside] = [value, 0, 0];
    tied++;
    if (lesion[at]) inside++;
  }
  return inside / tied;
}

/** What a random voxel of the lungs earns: the share of the lungs that lesions fill. */
export function pointingByChance(lesion: Uint8Array, lungs: Uint8Array): number {
  let [all, inside] = [0, 0];
  for (let at = 0; at < lungs.length; at++) {
    if (!lungs[at] && !lesion[at]) continue;
    all++;
    if (lesion[at]) inside++;
  }
  return inside / all;
}

/**
 * The area under the curve of precision over recall, as average precision: Σ (R_n - R_(n-1)) · P_n over the map's distinct
 * values, from the largest on; voxels of one value come together, as in scikit-learn's average_precision_score. Chance is the
 * share of lesion voxels. NaN without a lesion.
 */
export function averagePrecision(map: ArrayLike<number>, lesion: Uint8Array): number {
  const positives = lesion.reduce((sum, inside) => sum + Number(inside !== 0), 0);
  if (positives === 0) return Number.NaN;
  // Values sorted with their voxels: as 64-bit floats alone, a lesion's and the others', then merged.
  const values = [new Float64Array(positives), new Float64Array(lesion.length - positives)] as const;
  const filled = [0, 0];
  for (let at = 0; at < lesion.length; at++) {
    const which = lesion[at] ? 0 : 1;
    values[which]![filled[which]!++] = -map[at]!;
  }
  const [inside, outside] = values.map((list) => list.sort()) as [Float64Array, Float64Array];
  let [hits, misses, area] = [0, 0, 0];
  while (hits < positives) {
    const next = inside[hits]!;
    const before = hits;
    while (hits < positives && inside[hits] === next) hits++;
    while (misses < outside.length && outside[misses]! <= next) misses++;
    area += ((hits - before) / positives) * (hits / (hits + misses));
  }
  return area;
}

/** The share of a map's sum that lies in the mask; NaN for a map that is 0 everywhere. Maps are 0 or more. */
export function energyInside(map: ArrayLike<number>, mask: Uint8Array): number {
  let [all, inside] = [0, 0];
  for (let at = 0; at < mask.length; at++) {
    all += map[at]!;
    if (mask[at]) inside += map[at]!;
  }
  return inside / all;
}

export type LesionSize = { readonly number: number; readonly voxels: number; readonly volumeMl: number };

/** The sizes of the lesions of a mask of lesion numbers, from 1. */
export function lesionSizes(lesion: Uint8Array, { spacingMm }: Geometry): LesionSize[] {
  const counts = new Map<number, number>();
  for (const number of lesion) if (number) counts.set(number, (counts.get(number) ?? 0) + 1);
  const voxelMl = (spacingMm[0] * spacingMm[1] * spacingMm[2]) / 1000;
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([number, voxels]) => ({ number, voxels, volumeMl: voxels * voxelMl }));
}
