import type { Tensor } from "@camkit/cam-core";

/** What is seen of one sample's raw map. */
export type MapFacts = { readonly min: number; readonly max: number; readonly finite: boolean };

export function mapFacts(map: Tensor, sample: number): MapFacts {
  const values = sampleOf(map, sample);
  let [min, max, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  for (const value of values) {
    if (!Number.isFinite(value)) finite = false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max, finite };
}

/** One sample's values of [N, …]. */
export function sampleOf(map: Tensor, sample: number): Float32Array {
  const size = map.data.length / (map.shape[0] ?? 1);
  return (map.data as Float32Array).subarray(sample * size, (sample + 1) * size);
}

/** What is wrong with a raw map that says nothing and must not be painted; undefined for one that does. Its positive part is painted. */
export function emptiness({ min, max, finite }: MapFacts): string | undefined {
  if (!finite) return "the map holds NaN or infinite values: the input, or an activation on the way, is not finite";
  if (min === max)
    return max === 0 ? "the map is zero everywhere" : "the map is constant: this layer treats every position alike";
  if (max <= 0) return "the map is negative everywhere";
  return undefined;
}
