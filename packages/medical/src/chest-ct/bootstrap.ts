import { createRng } from "@camkit/cam-core/data";

/** A mean and the 2.5 and 97.5 percentiles of the means of resampled values; the same for the same values. */
export function bootstrapMeans(
  values: readonly number[],
  resamples: number,
): { mean: number; low: number; high: number } {
  const n = values.length;
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    const rng = createRng(r, 2);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[rng.integer(0, n - 1)]!;
    means[r] = sum / n;
  }
  means.sort();
  const at = (share: number) => means[Math.round(share * (resamples - 1))]!;
  return { mean: values.reduce((a, b) => a + b, 0) / n, low: at(0.025), high: at(0.975) };
}
