import { IrregularSeriesError } from "../errors.ts";
import { isTurned, turnedBy } from "./irregular.ts";
import { repeatedPlaces } from "./repeats.ts";
import { ordered } from "./series.ts";
import { counted, type Slice, sliceName } from "./slice.ts";

/** What is taken out of a series before it can be resampled, and what to say of it. */
type Repaired = { readonly slices: readonly Slice[]; readonly notes: readonly string[] };

/** Keeps the slices of the most common orientation: pictures turned against each other have no common grid. */
export function withoutOtherPlanes(slices: readonly Slice[]): Repaired {
  const groups: Slice[][] = [];
  for (const slice of slices) {
    const group = groups.find(([first]) => !isTurned(first!, slice));
    if (group === undefined) groups.push([slice]);
    else group.push(slice);
  }
  const largest = groups.reduce((a, b) => (b.length > a.length ? b : a));
  return {
    slices: ordered(largest),
    notes: groups
      .filter((group) => group !== largest)
      .map(
        (group) =>
          `${counted(group.length, "slice")} turned by ${turnedBy(group[0]!, largest[0]!).toFixed(2)}° left out, ${sliceName(group[0]!)} for one`,
      ),
  };
}

/**
 * Of slices at one place with the same pixels the first is kept.
 * Throws IrregularSeriesError where the pixels differ: which of them is the scan, nobody here can know.
 */
export function withoutDuplicates(slices: readonly Slice[]): Repaired {
  const pairs = repeatedPlaces(slices);
  const left = new Set<Slice>();
  for (const [kept, other] of pairs) {
    if (!haveSamePixels(kept, other))
      throw new IrregularSeriesError(
        "duplicates",
        `${sliceName(kept)} and ${sliceName(other)} lie at one place and have different pixels`,
        { hint: "Take out the ones that don't belong to the scan; which, can't be told from their headers." },
      );
    left.add(other);
  }
  return {
    slices: slices.filter((slice) => !left.has(slice)),
    notes: left.size === 0 ? [] : [`${counted(left.size, "duplicate")} left out, ${sliceName([...left][0]!)} for one`],
  };
}

function haveSamePixels(a: Slice, b: Slice): boolean {
  if (a.instance === b.instance) return false; // frames of one file: their pixels lie in one stream
  const hash = a.instance.pixelHash?.();
  return hash !== undefined && a.frame === b.frame && hash === b.instance.pixelHash?.();
}
