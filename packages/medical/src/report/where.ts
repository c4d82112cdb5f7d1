import { escapeHtml } from "@camkit/cam-core/page";
import type { Geometry } from "../volume/geometry.ts";
import { lungNames, type MapStatistics, type RegionStatistics, thirdNames } from "./statistics.ts";

/** Less of the map than this in the lungs is worth a warning. */
const leastInLungs = 0.5;

export function placeWarnings({ regions, energyInLungs, peak, massPerSlice }: MapStatistics): string[] {
  if (massPerSlice.some(Number.isNaN)) return ["The map is 0 everywhere: nothing speaks for the target."];
  return [
    ...(energyInLungs !== undefined && energyInLungs < leastInLungs
      ? [
          `Only ${percent(energyInLungs)} of the map lies in the lungs, which take up ${percent(chanceInLungs(regions))} of the scan: the model may look at something else.`,
        ]
      : []),
    ...(peak.tied > 1
      ? [`${peak.tied.toLocaleString("en-US")} voxels share the map's greatest value: its maximum is no single place.`]
      : []),
  ];
}

/** The share of the scan that is lung: what a map spread evenly would have there. */
export function chanceInLungs(regions: readonly RegionStatistics[]): number {
  const volume = (lung: string) =>
    regions.find((region) => region.lung === lung && region.third === "whole")?.volumeMl ?? 0;
  return volume("both") / (volume("both") + volume("outside"));
}

/** Shares by lung and third, as radiologists face the patient, and the table of all numbers. */
export function placeHtml({ regions, threshold }: MapStatistics): string {
  if (regions.length === 0)
    return `<p class="lead">No lungs were found in this scan, so there is nothing to tell per lung.</p>`;
  const top = Math.max(
    ...regions.filter(({ third }) => third !== "whole").map(({ massShare }) => massShare || 0),
    1e-9,
  );
  const cells = thirdNames.flatMap((third) => [
    `<span>${third}</span>`,
    ...lungNames.map((lung) => {
      const { massShare } = regions.find((region) => region.lung === lung && region.third === third)!;
      return `<div class="${lung} ${third}" style="--share:${Math.round((85 * (massShare || 0)) / top)}%"><b>${percent(massShare)}</b></div>`;
    }),
  ]);
  const rows = regions.map(
    ({ lung, third, volumeMl, mean, max, massShare, aboveMl }) =>
      `<tr${third === "whole" ? "" : ' class="sub"'}><th>${escapeHtml(third === "whole" ? names[lung] : third)}</th><td>${volumeMl.toFixed(0)}</td><td>${digits(mean)}</td><td>${digits(max)}</td><td>${percent(massShare)}</td><td class="meter"><div><i style="width:${(100 * (massShare || 0)).toFixed(1)}%"></i></div></td><td>${aboveMl.toFixed(1)}</td></tr>`,
  );
  return `<div class="pair places"><div class="thirds"><span></span><b>right lung</b><b>left lung</b>${cells.join("")}</div>
<div class="sheet"><table><thead><tr><th></th><th>ml</th><th>mean</th><th>max</th><th>of the map</th><th class="meter"></th><th>ml ≥ ${threshold}</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></div>`;
}

const names: Readonly<Record<RegionStatistics["lung"], string>> = {
  right: "right lung",
  left: "left lung",
  both: "both lungs",
  outside: "outside",
};

/** The share of the map in each slice; ticks for the slices that the network saw. A click jumps there. */
export function curveHtml(
  { massPerSlice }: MapStatistics,
  { shape, originMm, spacingMm, directions }: Geometry,
  seen: readonly number[] | undefined,
): string {
  const top = Math.max(...massPerSlice.filter(Number.isFinite), 1e-12);
  const n = massPerSlice.length;
  const steps = massPerSlice.map((share, k) => `L${k} ${round(100 - (96 * (share || 0)) / top)}H${k + 1}`);
  const ticks = [...new Set(seen ?? [])].map((k) => `M${k + 0.5} 102V108`);
  const alongMm = (k: number) =>
    directions[0].reduce((sum, d, axis) => sum + d * originMm[axis]!, 0) + k * spacingMm[0];
  const [first, last] = directions[0][2] >= 0 ? ["feet", "head"] : ["head", "feet"];
  const end = (word: string, k: number) =>
    Math.abs(directions[0][2]) > 0.5 ? `${word}, ${alongMm(k).toFixed(0)} mm` : `slice ${k + 1}`;
  const words = `Share of the map in each slice, at most ${percent(top)}${ticks.length > 0 ? `; ticks: the ${ticks.length} slices that the network saw` : ""}`;
  return `<div class="curve"><div class="frame" data-curve role="img" aria-label="${escapeHtml(words)}"><svg viewBox="0 0 ${n} 110" preserveAspectRatio="none"><path class="area" d="M0 100${steps.join("")}V100Z"/><path class="seen" d="${ticks.join("")}"/></svg><i class="cursor" data-cursor></i></div><div class="ends"><span>${end(first!, 0)}</span><span>${escapeHtml(words)}</span><span>${end(last!, shape[0] - 1)}</span></div></div>`;
}

export const percent = (share: number) =>
  Number.isNaN(share) ? "–" : `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
const digits = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(3));
const round = (value: number) => Math.round(value * 100) / 100;
