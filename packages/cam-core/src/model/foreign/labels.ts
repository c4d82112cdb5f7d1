import { ManifestError } from "../../errors.ts";

/** More classes than any classifier has; a number beyond it is a mistake that would fill the memory. */
const mostClasses = 1_000_000;

/**
 * Labels by the number of their class, as a list; gaps are "class 3". Undefined where there are none. Throws ManifestError for a
 * number that is none. `place` names file and key.
 */
export function labelsByNumber(
  labels: readonly string[] | Readonly<Record<string, string>>,
  place: string,
): string[] | undefined {
  const known = new Map<number, string>();
  let count = 0;
  for (const [key, label] of Object.entries(labels)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= mostClasses)
      throw new ManifestError(place, `"${key}" is no number of a class`);
    known.set(index, label);
    count = Math.max(count, index + 1);
  }
  return count === 0 ? undefined : Array.from({ length: count }, (_, i) => known.get(i) || `class ${i}`);
}
