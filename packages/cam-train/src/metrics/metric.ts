import { MetricError } from "../errors.ts";
import type { ScoreKind, Scores } from "./scores.ts";

/** A number that says how good answers are. */
export type Metric = {
  readonly name: string;
  /** What to show people: "balanced accuracy". */
  readonly title: string;
  readonly better: "higher" | "lower";
  readonly range: readonly [low: number, high: number];
  /** The kinds of scores it can be computed from. */
  readonly needs: readonly ScoreKind[];
  readonly source?: string;
  /**
   * NaN where the samples don't determine it (the sensitivity to a class without samples). Throws MetricError for a kind that
   * isn't in `needs`.
   */
  value(scores: Scores): number;
};

/** A metric whose `value` sees only the kinds of scores that it needs. */
export function defineMetric<K extends ScoreKind>(
  metric: Omit<Metric, "needs" | "value"> & {
    readonly needs: readonly K[];
    value(scores: Extract<Scores, { kind: K }>): number;
  },
): Metric {
  const fits = (scores: Scores): scores is Extract<Scores, { kind: K }> =>
    (metric.needs as readonly ScoreKind[]).includes(scores.kind);
  return {
    ...metric,
    value(scores) {
      if (fits(scores)) return metric.value(scores);
      throw new MetricError(`${metric.title} needs ${metric.needs.join(" or ")}, found ${scores.kind}`);
    },
  };
}
