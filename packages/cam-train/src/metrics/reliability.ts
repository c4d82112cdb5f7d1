import { defineMetric } from "./metric.ts";
import { predictedClasses } from "./one-versus-rest.ts";
import type { ClassScores } from "./scores.ts";

/** Samples whose confidence lies in (low, high], the first bin with its lower end. Empty bins have NaN means. */
export type ReliabilityBin = {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence of its samples. */
  readonly confidence: number;
  /** Share of them that is right. */
  readonly accuracy: number;
};

/** Guo et al. use 15. */
const defaultBins = 15;

/** The probability of the class that is named, per sample, and whether it is the label. */
export function confidences(scores: ClassScores): { confidence: Float64Array; correct: boolean[] } {
  const predicted = predictedClasses(scores);
  const width = scores.classes.length;
  const confidence = new Float64Array(scores.count);
  const correct: boolean[] = new Array(scores.count);
  for (let i = 0; i < scores.count; i++) {
    confidence[i] = scores.probabilities[i * width + predicted[i]!]!;
    correct[i] = predicted[i] === scores.labels[i];
  }
  return { confidence, correct };
}

/** Confidence against accuracy in bins of equal width over 0 … 1. */
export function reliabilityTable(scores: ClassScores, bins = defaultBins): ReliabilityBin[] {
  const { confidence, correct } = confidences(scores);
  const [count, sum, hits] = [0, 1, 2].map(() => new Float64Array(bins)) as [Float64Array, Float64Array, Float64Array];
  confidence.forEach((value, i) => {
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(value * bins) - 1));
    count[bin]!++;
    sum[bin]! += value;
    if (correct[i]) hits[bin]!++;
  });
  return Array.from(count, (n, b) => ({
    low: b / bins,
    high: (b + 1) / bins,
    count: n,
    confidence: sum[b]! / n,
    accuracy: hits[b]! / n,
  }));
}

/** Σ over bins of n/N · |accuracy − confidence|. */
export function expectedCalibrationError(table: readonly ReliabilityBin[]): number {
  const filled = table.filter(({ count }) => count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  return filled.reduce((sum, bin) => sum + (bin.count / total) * Math.abs(bin.accuracy - bin.confidence), 0);
}

/**
 * Expected calibration error, by how much confidence and accuracy differ on average: of the named class ("top-label"), in 15
 * bins of equal width. With two classes no confidence is below 0.5, so the lower bins stay empty.
 */
export const calibrationError = defineMetric({
  name: "ece",
  title: "calibration error",
  better: "lower",
  range: [0, 1],
  needs: ["classes"],
  source: "Guo et al. 2017, arXiv:1706.04599, section 2",
  value: (scores) => expectedCalibrationError(reliabilityTable(scores)),
});
