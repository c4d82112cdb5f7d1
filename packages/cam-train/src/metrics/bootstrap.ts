import { AbortedError } from "@camkit/cam-core";
import { MetricError } from "../errors.ts";
import { keyed } from "../random.ts";
import type { Metric } from "./metric.ts";
import { ranked } from "./one-versus-rest.ts";
import { type Scores, take } from "./scores.ts";

/** Where a metric would lie if the samples had been drawn again: 95 % of the resamples lie between `low` and `high`. */
export type Interval = {
  readonly low: number;
  readonly high: number;
  /** Resamples in which the metric was determined (a rare class can be missing from some). NaN ends when there were none. */
  readonly resamples: number;
};

export type BootstrapOptions = {
  readonly seed: number;
  /** Default: 1000, fewer where samples times classes are so many that it would take minutes, never fewer than 100. */
  readonly resamples?: number;
  /**
   * The group of each sample (patient, video). Whole groups are drawn then: pictures of one patient aren't independent, and
   * taking them for it makes intervals too narrow.
   */
  readonly groups?: readonly (string | number)[];
  readonly signal?: AbortSignal | undefined;
};

/**
 * Percentile bootstrap: draw as many samples (or groups) as there are, with replacement, and measure again; the interval ends
 * at the 2.5 % and 97.5 % quantiles, linearly interpolated. All metrics see the same draws. Throws AbortedError. Source: Efron 1979.
 */
export async function bootstrap(
  scores: Scores,
  metrics: readonly Metric[],
  { seed, resamples = affordable(scores), groups, signal }: BootstrapOptions,
): Promise<Interval[]> {
  const known = scores.kind === "regression" ? scores : ranked(scores);
  const members = groups === undefined ? undefined : membersOf(groups, scores.count);
  const units = members?.length ?? scores.count;
  const found: number[][] = metrics.map(() => []);
  let breathed = performance.now();
  for (let r = 0; r < resamples; r++) {
    if (performance.now() - breathed > 50) {
      await new Promise(setImmediate); // lets signals be heard
      if (signal?.aborted) throw new AbortedError();
      breathed = performance.now();
    }
    const rng = keyed(seed, "bootstrap", r);
    const drawn = new Int32Array(units);
    for (let i = 0; i < units; i++) drawn[i] = rng.integer(0, units - 1);
    const resample = take(known, members === undefined ? drawn : Array.from(drawn).flatMap((unit) => members[unit]!));
    metrics.forEach((metric, m) => {
      const value = metric.value(resample);
      if (!Number.isNaN(value)) found[m]!.push(value);
    });
  }
  return found.map((values) => {
    const sorted = Float64Array.from(values).sort();
    return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), resamples: sorted.length };
  });
}

/** Resamples for some ten seconds, up to a hundred classes. */
function affordable(scores: Scores): number {
  const numbers = scores.kind === "regression" ? scores.predictions.length : scores.probabilities.length;
  return Math.min(1000, Math.max(100, Math.round(2e8 / numbers)));
}

/** Between the two values beside position share · (n − 1), as numpy's default. */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below === above ? below : below + (at % 1) * (above - below); // equal infinities have no difference
}

function membersOf(groups: readonly (string | number)[], count: number): number[][] {
  if (groups.length !== count) throw new MetricError(`${groups.length} groups for ${count} samples, expected one each`);
  const members = new Map<string | number, number[]>();
  groups.forEach((group, i) => {
    const list = members.get(group);
    if (list === undefined) members.set(group, [i]);
    else list.push(i);
  });
  return [...members.values()];
}
