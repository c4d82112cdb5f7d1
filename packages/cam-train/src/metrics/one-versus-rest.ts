import type { ClassScores, MultiLabelScores } from "./scores.ts";

/** Scores in which each class can be looked at alone, against all others. */
export type Classified = ClassScores | MultiLabelScores;

/** What became of the samples of one class and of all others. */
export type Counts = {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
  readonly trueNegative: number;
};

/** The most probable class of each sample; of equal ones the first. [N] */
export function predictedClasses({ count, classes, probabilities }: ClassScores): Int32Array {
  const width = classes.length;
  const predicted = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let best = 0;
    for (let k = 1; k < width; k++) if (probabilities[i * width + k]! > probabilities[i * width + best]!) best = k;
    predicted[i] = best;
  }
  return predicted;
}

/** The four counts of every class: named by the highest probability, or, with many labels, by one above 0.5. */
export function countsPerClass(scores: Classified): Counts[] {
  const { count, classes } = scores;
  const [hits, named, present] = [0, 1, 2].map(() => new Float64Array(classes.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  if (scores.kind === "classes") {
    const predicted = predictedClasses(scores);
    for (let i = 0; i < count; i++) {
      named[predicted[i]!]!++;
      present[scores.labels[i]!]!++;
      if (predicted[i] === scores.labels[i]) hits[predicted[i]!]!++;
    }
  } else {
    for (let at = 0; at < scores.labels.length; at++) {
      const k = at % classes.length;
      const answer = scores.probabilities[at]! > 0.5;
      if (answer) named[k]!++;
      if (scores.labels[at] === 1) present[k]!++;
      if (answer && scores.labels[at] === 1) hits[k]!++;
    }
  }
  return classes.map((_, k) => {
    const truePositive = hits[k]!;
    const falsePositive = named[k]! - truePositive;
    const falseNegative = present[k]! - truePositive;
    return { truePositive, falsePositive, falseNegative, trueNegative: count - named[k]! - falseNegative };
  });
}

/** The probabilities of class k, of its own samples and of all others, each in rising order. */
export function splitByTruth(scores: Classified, k: number): { positives: Float64Array; negatives: Float64Array } {
  const { count, classes, probabilities, labels, kind } = scores;
  const width = classes.length;
  const isOwn = (i: number) => (kind === "classes" ? labels[i] === k : labels[i * width + k] === 1);
  let own = 0;
  for (let i = 0; i < count; i++) if (isOwn(i)) own++;
  const positives = new Float64Array(own);
  const negatives = new Float64Array(count - own);
  for (let i = 0, p = 0, n = 0; i < count; i++) {
    const value = probabilities[i * width + k]!;
    if (isOwn(i)) positives[p++] = value;
    else negatives[n++] = value;
  }
  return { positives: positives.sort(), negatives: negatives.sort() };
}

/**
 * A number of one class: that of the positive class where there is one, else the mean over classes (macro). Classes whose
 * number the samples don't determine (NaN) are left out of the mean.
 */
export function overClasses(scores: Classified, ofClass: (k: number) => number): number {
  if (scores.kind === "classes" && scores.positive !== undefined) return ofClass(scores.positive);
  const known = scores.classes.map((_, k) => ofClass(k)).filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** `overClasses` for what follows from the four counts. */
export function fromCounts(scores: Classified, value: (counts: Counts) => number): number {
  const counts = countsPerClass(scores);
  return overClasses(scores, (k) => value(counts[k]!));
}
