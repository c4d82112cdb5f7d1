import { predictedClasses } from "./one-versus-rest.ts";
import type { ClassScores } from "./scores.ts";

/** counts[truth][predicted]: how often samples of one class were given to another. Plain data. */
export type ConfusionMatrix = { readonly classes: readonly string[]; readonly counts: readonly (readonly number[])[] };

export function confusionMatrix(scores: ClassScores): ConfusionMatrix {
  const counts = scores.classes.map(() => scores.classes.map(() => 0));
  predictedClasses(scores).forEach((k, i) => {
    counts[scores.labels[i]!]![k]!++;
  });
  return { classes: scores.classes, counts };
}
