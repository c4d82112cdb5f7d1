import { MetricError } from "../errors.ts";

/*
 * Selective prediction: a classifier that may say "cannot say". It answers where its confidence reaches a threshold. Confidence
 * is the calibrated probability of the named class; of two classes, a threshold t is the band 1 − t … t around 0.5.
 */

/** What is left when only samples with confidence ≥ threshold are answered. */
export type Selection = {
  readonly threshold: number;
  /** Share of the samples that are answered. */
  readonly coverage: number;
  /** Share of the answers that is right; NaN when there are none. */
  readonly accuracy: number;
  readonly answered: number;
};

/** Answers at this threshold: how a band that was chosen on held-out data does on test data. */
export function selectAt(confidence: Float64Array, correct: readonly boolean[], threshold: number): Selection {
  let answered = 0;
  let hits = 0;
  confidence.forEach((value, i) => {
    if (value < threshold) return;
    answered++;
    if (correct[i]) hits++;
  });
  return { threshold, coverage: answered / confidence.length, accuracy: hits / answered, answered };
}

/**
 * Accuracy against coverage for every threshold that changes anything: one point per distinct confidence, the highest first, so
 * coverage rises to 1. Equal confidences are answered together.
 * Throws MetricError when there are no samples, or not as many truths as confidences.
 */
export function riskCoverage(confidence: Float64Array, correct: readonly boolean[]): Selection[] {
  const total = confidence.length;
  if (total === 0 || correct.length !== total)
    throw new MetricError(`${total} confidences and ${correct.length} truths, expected one of each per sample`);
  const order = Array.from(confidence.keys()).sort((a, b) => confidence[b]! - confidence[a]!);
  const curve: Selection[] = [];
  let hits = 0;
  order.forEach((sample, i) => {
    if (correct[sample]) hits++;
    const threshold = confidence[sample]!;
    const isLast = i + 1 === total || confidence[order[i + 1]!] !== threshold;
    const answered = i + 1;
    if (isLast) curve.push({ threshold, coverage: answered / total, accuracy: hits / answered, answered });
  });
  return curve;
}

/**
 * Area under the risk-coverage curve, lower is better: the mean, over samples, of the error rate among those that are at least as
 * confident. Without any ranking it is the error rate itself. Source: Geifman et al. 2019, arXiv:1805.08206.
 */
export function areaUnderRisk(curve: readonly Selection[]): number {
  let before = 0;
  let area = 0;
  for (const { coverage, accuracy } of curve) {
    area += (coverage - before) * (1 - accuracy);
    before = coverage;
  }
  return area;
}

/** The 95 % interval of a share, Wilson 1927: honest for small counts and shares near 1, where p ± 1.96·s isn't. */
export function wilson(hits: number, count: number): { low: number; high: number } {
  const z = 1.959963984540054;
  const share = hits / count;
  const scale = 1 + z ** 2 / count;
  const center = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) };
}

export type Band = Selection & { readonly wanted: number; readonly interval: { low: number; high: number } };

/**
 * The "cannot say" band: the threshold that answers the most held-out samples with at least the wanted accuracy among the
 * answers. `interval` says how sure that accuracy is, given how few or many answers it rests on.
 * Throws MetricError when no threshold reaches it, naming the best that one does.
 */
export function chooseBand(confidence: Float64Array, correct: readonly boolean[], wanted: number): Band {
  if (!(wanted > 0 && wanted <= 1))
    throw new MetricError(`the wanted accuracy is ${wanted}, expected a share in 0 … 1`);
  const curve = riskCoverage(confidence, correct);
  const reached = curve.findLast(({ accuracy }) => accuracy >= wanted);
  if (reached === undefined) {
    const best = curve.reduce((a, b) => (b.accuracy >= a.accuracy ? b : a));
    throw new MetricError(
      `no threshold reaches an accuracy of ${wanted}: the best is ${best.accuracy.toFixed(4)}, answering ${(best.coverage * 100).toFixed(1)} %`,
      { hint: "Ask for less, or train a better model." },
    );
  }
  const hits = Math.round(reached.accuracy * reached.answered);
  return { ...reached, wanted, interval: wilson(hits, reached.answered) };
}
