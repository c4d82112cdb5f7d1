import { cross, dot, type Geometry, positionOf, type Vec3 } from "../volume/geometry.ts";
import type { VoxelMap } from "../volume/volume.ts";

/** Which lung each voxel belongs to, slice by slice on the scan's grid: 0 none, 1 the patient's right, 2 the left. */
export type LungLabels = { slice(k: number, into: Uint8Array): void };

export const lungNames = ["right", "left"] as const;
export const thirdNames = ["upper", "middle", "lower"] as const;

/** One part of the body. Thirds are those of the lung's own height, in the patient's z. */
export type RegionStatistics = {
  readonly lung: (typeof lungNames)[number] | "both" | "outside";
  readonly third: (typeof thirdNames)[number] | "whole";
  readonly volumeMl: number;
  /** Of the map's values; NaN where the region is empty. */
  readonly mean: number;
  readonly max: number;
  /** Of all the map's values, the part that lies here; NaN for a map that is 0 everywhere. */
  readonly massShare: number;
  /** How much of the region lies at the threshold or above. */
  readonly aboveMl: number;
};

export type MapStatistics = {
  readonly threshold: number;
  /** Each lung's thirds, each lung, both, what is outside; empty where no lungs are known. */
  readonly regions: readonly RegionStatistics[];
  /** The share of the map that lies in the lungs; undefined where no lungs are known, NaN for a map that is 0 everywhere. */
  readonly energyInLungs: number | undefined;
  /** The share of the map that lies in each slice. */
  readonly massPerSlice: readonly number[];
  /** The first voxel with the greatest value, and how many have it. */
  readonly peak: { readonly index: Vec3; readonly positionMm: Vec3; readonly value: number; readonly tied: number };
};

/** Right upper, middle, lower; left upper, middle, lower; outside. */
const parts = 7;
const outside = 6;

/**
 * Where a map lies, in numbers: per lung and third, per slice, and its greatest value. Two passes, one slice in memory.
 * `map` has values in [0, 1]; what is above `threshold` is given in millilitres of the scan's voxels.
 */
export function statistics(
  map: VoxelMap,
  lungs: LungLabels | undefined,
  { threshold }: { threshold: number },
): MapStatistics {
  const { geometry } = map;
  const [slices, rows, columns] = geometry.shape;
  const values = new Float32Array(rows * columns);
  const labels = new Uint8Array(rows * columns);
  const ends = lungs ? lungEnds(lungs, geometry, labels) : [];
  const sums = new Float64Array(parts);
  const counts = new Float64Array(parts);
  const above = new Float64Array(parts);
  const tops = new Float64Array(parts).fill(Number.NEGATIVE_INFINITY);
  const massPerSlice: number[] = [];
  const runs = runsAlong(geometry, ends);
  let peak = { index: [0, 0, 0] as Vec3, value: Number.NEGATIVE_INFINITY, tied: 0 };
  for (let k = 0; k < slices; k++) {
    map.slice(k, values);
    lungs?.slice(k, labels);
    let mass = 0;
    for (let r = 0; r < rows; r++)
      runs(k, r, labels, (part, from, to) => {
        const found = tallied(values, from, to, threshold);
        mass += found.sum;
        sums[part]! += found.sum;
        counts[part]! += to - from;
        above[part]! += found.above;
        if (found.top > tops[part]!) tops[part] = found.top;
        if (found.top > peak.value)
          peak = { index: [k, r, found.first - r * columns], value: found.top, tied: found.tied };
        else if (found.top === peak.value) peak.tied += found.tied;
      });
    massPerSlice.push(mass);
  }
  const total = massPerSlice.reduce((a, b) => a + b, 0);
  const region = regionOver({ sums, counts, above, tops }, total, voxelMl(geometry));
  return {
    threshold,
    regions: lungs ? allRegions(region) : [],
    energyInLungs: lungs ? (total - sums[outside]!) / total : undefined,
    massPerSlice: massPerSlice.map((mass) => mass / total),
    peak: { ...peak, positionMm: positionOf(geometry, peak.index) },
  };
}

/** What values [from, to) add: their sum, how many reach the threshold, the greatest, where it is first, how often it is there. */
function tallied(values: Float32Array, from: number, to: number, threshold: number) {
  let [sum, above, top, first, tied] = [0, 0, Number.NEGATIVE_INFINITY, from, 0];
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    sum += value;
    if (value >= threshold) above++;
    if (value > top) [top, first, tied] = [value, i, 1];
    else if (value === top) tied++;
  }
  return { sum, above, top, first, tied };
}

/** Visits a row of labels in runs [from, to) of one part: in an axial scan, where a row has one height, some five of them. */
function runsAlong(geometry: Geometry, ends: readonly (Ends | undefined)[]) {
  const columns = geometry.shape[2];
  const partAt = (lung: number, z: number) => {
    const end = ends[lung - 1];
    return end ? 3 * (lung - 1) + Math.min(2, Math.max(0, Math.floor((3 * (end.top - z)) / end.height))) : outside;
  };
  return (k: number, r: number, labels: Uint8Array, visit: (part: number, from: number, to: number) => void) => {
    const [z, step] = heightsOfRow(geometry, k, r);
    const first = r * columns;
    for (let from = first; from < first + columns; ) {
      const lung = labels[from]!;
      const part = partAt(lung, z + (from - first) * step);
      let to = from + 1;
      while (
        to < first + columns &&
        labels[to] === lung &&
        (lung === 0 || step === 0 || partAt(lung, z + (to - first) * step) === part)
      )
        to++;
      visit(part, from, to);
      from = to;
    }
  };
}

/** Millilitres of a voxel, also of a sheared grid. */
export function voxelMl({ spacingMm, directions: [slice, row, column] }: Geometry): number {
  return (Math.abs(dot(slice, cross(row, column))) * spacingMm[0] * spacingMm[1] * spacingMm[2]) / 1000;
}

type Ends = { readonly top: number; readonly height: number };

/** Where each lung ends above and below, in the patient's z, half a millimetre beyond its outermost voxels' centres. */
function lungEnds(lungs: LungLabels, geometry: Geometry, labels: Uint8Array): (Ends | undefined)[] {
  const [slices, rows, columns] = geometry.shape;
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < slices; k++) {
    lungs.slice(k, labels);
    for (let r = 0; r < rows; r++) {
      const [z, step] = heightsOfRow(geometry, k, r);
      const end = (r + 1) * columns;
      for (let from = end - columns; from < end; ) {
        const label = labels[from]!;
        let to = from + 1;
        while (to < end && labels[to] === label) to++;
        if (label > 0) {
          const ends = [from, to - 1].map((i) => z + (i - end + columns) * step);
          low[label - 1] = Math.min(low[label - 1]!, ...ends);
          high[label - 1] = Math.max(high[label - 1]!, ...ends);
        }
        from = to;
      }
    }
  }
  return lungNames.map((_, lung) =>
    high[lung]! >= low[lung]! ? { top: high[lung]! + 0.5, height: high[lung]! - low[lung]! + 1 } : undefined,
  );
}

/** The patient's z of a row's first voxel, and its change per column, mm. */
function heightsOfRow({ originMm, spacingMm, directions }: Geometry, k: number, r: number): [z: number, step: number] {
  const along = (axis: 0 | 1 | 2) => directions[axis][2] * spacingMm[axis];
  return [originMm[2] + k * along(0) + r * along(1), along(2)];
}

type Sums = Record<"sums" | "counts" | "above" | "tops", Float64Array>;
type Region = (name: Pick<RegionStatistics, "lung" | "third">, of: readonly number[]) => RegionStatistics;

function regionOver({ sums, counts, above, tops }: Sums, total: number, ml: number): Region {
  const over = (of: readonly number[], numbers: Float64Array) => of.reduce((sum, part) => sum + numbers[part]!, 0);
  return (name, of) => {
    const count = over(of, counts);
    return {
      ...name,
      volumeMl: count * ml,
      mean: over(of, sums) / count,
      max: count > 0 ? Math.max(...of.map((part) => tops[part]!)) : Number.NaN,
      massShare: over(of, sums) / total,
      aboveMl: over(of, above) * ml,
    };
  };
}

function allRegions(region: Region): RegionStatistics[] {
  return [
    ...lungNames.flatMap((lung, i) => [
      region({ lung, third: "whole" }, [3 * i, 3 * i + 1, 3 * i + 2]),
      ...thirdNames.map((third, j) => region({ lung, third }, [3 * i + j])),
    ]),
    region({ lung: "both", third: "whole" }, [0, 1, 2, 3, 4, 5]),
    region({ lung: "outside", third: "whole" }, [outside]),
  ];
}
