import type { MapStatistics, RegionStatistics } from "../../report/statistics.ts";
import { type Code, code, quantityOf } from "../codes.ts";
import { shareOfMap, terms, units, volumeAtThreshold } from "./terms.ts";

/** Where in the body: a structure, and which side of it. */
export type Site = { readonly label: string; readonly structure: Code; readonly laterality?: Code };

/** One number about a map, of a site or of all of it. */
export type Measurement = {
  readonly site?: Site;
  readonly quantity: Code;
  readonly derivation?: Code;
  readonly value: number;
  readonly unit: Code;
};

const structures = {
  whole: code("39607008", "SCT", "Lung"),
  upper: code("281392002", "SCT", "Upper zone of lung"),
  middle: code("281393007", "SCT", "Middle zone of lung"),
  lower: code("281394001", "SCT", "Lower zone of lung"),
} as const;

const sides = {
  right: code("24028007", "SCT", "Right"),
  left: code("7771000", "SCT", "Left"),
  both: code("51440002", "SCT", "Right and left"),
} as const;

/** A lung, or a third of one, as a site; what is outside the lungs is none. */
export function lungSite({ lung, third }: Pick<RegionStatistics, "lung" | "third">): Site | undefined {
  if (lung === "outside") return undefined;
  const label = lung === "both" ? "both lungs" : `${lung} lung`;
  return {
    label: third === "whole" ? label : `${label}, ${third} third`,
    structure: structures[third],
    laterality: sides[lung],
  };
}

/** A map's statistics per lung and third as measurements. What isn't a number (an empty region) is left out. */
export function lungMeasurements({ regions }: MapStatistics, method: string): Measurement[] {
  const quantity = quantityOf(method);
  return regions.flatMap((region) => {
    const site = lungSite(region);
    if (site === undefined) return [];
    const all: Measurement[] = [
      { site, quantity, derivation: terms.mean, value: region.mean, unit: units.none },
      { site, quantity, derivation: terms.maximum, value: region.max, unit: units.none },
      { site, quantity: shareOfMap, value: 100 * region.massShare, unit: units.percent },
      { site, quantity: volumeAtThreshold, value: region.aboveMl, unit: units.millilitre },
    ];
    return all.filter(({ value }) => Number.isFinite(value));
  });
}
