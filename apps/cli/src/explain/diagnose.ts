import type { Method, Tensor } from "@camkit/cam-core";

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

/**
 * Why a raw map says nothing and must not be painted, with the likely cause; undefined for a map that does. What is painted
 * is its positive part.
 */
export function emptiness({ min, max, finite }: MapFacts, method: Method): string | undefined {
  if (!finite) return "the map holds NaN or infinite values: the input, or an activation on the way, is not finite";
  if (min === max && max === 0)
    return method.resolution === "input" || method.signed
      ? "the map is zero everywhere: the gradient vanishes, so the target doesn't react to this input at all (a saturated or dead path)"
      : "the map is zero everywhere: all evidence at this layer speaks against the target, or its gradient vanishes. Try another target or layer, or a signed method (cam)";
  if (min === max)
    return "the map is constant: this layer treats every position alike for the target; choose a layer with more effect";
  if (max <= 0) return "the map is negative everywhere: all evidence at this layer speaks against the target";
  return undefined;
}
