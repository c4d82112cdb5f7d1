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

const counted = new WeakMap<Classified, Counts[]>();

/** The four counts of every class, counted once: named by the highest probability, or, with many labels, by one above 0.5. */
export function countsPerClass(scores: Classified): Counts[] {
  const known = counted.get(scores) ?? countPerClass(scores);
  counted.set(scores, known);
  return known;
}

function countPerClass(scores: Classified): Counts[] {
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

/** How many samples of a class, and how many others, have each rank of its probability; ranks rise from 0. */
export type RankCounts = { readonly positives: Float64Array; readonly negatives: Float64Array };

export function countsByRank(scores: Classified, k: number): RankCounts {
  const { count, classes, labels, kind } = scores;
  const width = classes.length;
  const ranks = scores.ranks?.subarray(k * count, (k + 1) * count) ?? ranksOf(scores, k);
  let highest = -1;
  for (let i = 0; i < count; i++) if (ranks[i]! > highest) highest = ranks[i]!;
  const [positives, negatives] = [new Float64Array(highest + 1), new Float64Array(highest + 1)];
  for (let i = 0; i < count; i++) {
    const isOwn = kind === "classes" ? labels[i] === k : labels[i * width + k] === 1;
    (isOwn ? positives : negatives)[ranks[i]!]!++;
  }
  return { positives, negatives };
}

/** The scores with all ranks, found once: what is drawn from them again and again needn't be sorted again. */
export function ranked<S extends Classified>(scores: S): S {
  const { count, classes } = scores;
  const ranks = new Int32Array(count * classes.length);
  classes.forEach((_, k) => {
    ranks.set(ranksOf(scores, k), k * count);
  });
  return { ...scores, ranks };
}

/** The place of each sample's probability of class k among all of them; equal ones have the same. [N] */
function ranksOf({ count, classes, probabilities }: Classified, k: number): Int32Array {
  const values = Float64Array.from({ length: count }, (_, i) => probabilities[i * classes.length + k]!);
  const order = Int32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Int32Array(count);
  let rank = 0;
  for (let at = 1; at < count; at++) {
    if (values[order[at]!]! > values[order[at - 1]!]!) rank++;
    ranks[order[at]!] = rank;
  }
  return ranks;
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
