import { NoSeriesError } from "../errors.ts";
import { type SelectionRules, unmet } from "./selection-rules.ts";
import type { Series } from "./series.ts";
import { planeOf, spacingOf } from "./series-facts.ts";
import { counted, frameOf } from "./slice.ts";

export type Selected = {
  readonly series: Series;
  /** Why this one. */
  readonly reason: string;
  /** Why none of the others. */
  readonly others: readonly { readonly series: Series; readonly reason: string }[];
};

/**
 * One series of a study: the first that the rules' first fitting selection names or, without rules, the axial CT with the most
 * slices, the thinnest of several. Throws NoSeriesError, which says of each why not.
 */
export function selectSeries(series: readonly Series[], rules?: SelectionRules): Selected {
  return rules === undefined ? byDefault(series) : byRules(series, rules);
}

function byRules(series: readonly Series[], { selections }: SelectionRules): Selected {
  for (const { name, conditions } of selections) {
    const fitting = series.filter((one) => unmet(one, conditions) === undefined);
    // The most slices first: what rules leave open is decided as without them.
    const [best] = [...fitting].sort(preference);
    if (best === undefined) continue;
    return {
      series: best,
      reason: name === "" ? "fits the selection rules" : `fits the selection "${name}"`,
      others: series
        .filter((one) => one !== best)
        .map((one) => ({ series: one, reason: unmet(one, conditions) ?? lesser(one, best) })),
    };
  }
  throw new NoSeriesError(
    "no series fits the selection rules:",
    series.map(
      (one) =>
        `${describeSeries(one)}: ${selections.map(({ name, conditions }) => `${name === "" ? "" : `"${name}": `}${unmet(one, conditions)}`).join("; ")}`,
    ),
  );
}

function byDefault(series: readonly Series[]): Selected {
  const [best] = series.filter((one) => unfit(one) === undefined).sort(preference);
  if (best === undefined)
    throw new NoSeriesError(
      "no axial CT series among:",
      series.map((one) => `${describeSeries(one)}: ${unfit(one)}`),
      { hint: "Give selection rules to choose another." },
    );
  return {
    series: best,
    reason: "the axial CT series with the most slices",
    others: series
      .filter((one) => one !== best)
      .map((one) => ({ series: one, reason: unfit(one) ?? lesser(one, best) })),
  };
}

function unfit(series: Series): string | undefined {
  if (series.modality !== "CT") return `its modality is ${series.modality || "missing"}, not CT`;
  const plane = planeOf(series);
  if (plane !== "Axial")
    return plane === undefined ? "it has no orientation" : `it is ${plane.toLowerCase()}, not axial`;
  if (series.slices[0]!.instance.pixels!.samplesPerPixel !== 1) return "its pictures are in colour";
  return undefined;
}

const thickness = (series: Series) =>
  frameOf(series.slices[0]!).sliceThicknessMm ?? spacingOf(series) ?? Number.POSITIVE_INFINITY;
const number = ({ identity }: Series) => Number(identity.SeriesNumber ?? Number.POSITIVE_INFINITY);

/** More slices, then thinner ones, then the lower series number, then the UID: never the order in which files were read. */
function preference(a: Series, b: Series): number {
  return (
    b.slices.length - a.slices.length ||
    difference(thickness(a), thickness(b)) ||
    difference(number(a), number(b)) ||
    (key(a) < key(b) ? -1 : 1)
  );
}

/** Zero for two infinities. */
const difference = (a: number, b: number) => (a === b ? 0 : a - b);
const key = ({ identity, splitBy }: Series) => `${identity.SeriesInstanceUID} ${splitBy.join(" ")}`;

function lesser(series: Series, best: Series): string {
  if (series.slices.length < best.slices.length)
    return `it has ${counted(series.slices.length, "slice")}, fewer than ${best.slices.length}`;
  if (thickness(series) > thickness(best))
    return `its slices are ${thickness(series)} mm thick, more than ${thickness(best)}`;
  return "as good as the chosen one, but later in order";
}

/** A series in a line, for people. */
export function describeSeries({ identity, modality, slices, splitBy }: Series): string {
  const name = identity.SeriesDescription ?? identity.ProtocolName;
  const number = identity.SeriesNumber === undefined ? "" : ` ${identity.SeriesNumber}`;
  const { rows, columns } = slices[0]!.instance.pixels!;
  return [
    `series${number}${name === undefined ? "" : ` "${name}"`} (${modality || "no modality"}, ${counted(slices.length, "slice")} of ${rows} × ${columns}`,
    ...(splitBy.length === 0 ? [] : [`, ${splitBy.join(", ")}`]),
    ")",
  ].join("");
}
