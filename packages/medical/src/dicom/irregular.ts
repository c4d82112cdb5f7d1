import type { IrregularSeriesError } from "../errors.ts";
import { dot, subtract, type Vec3 } from "../volume/geometry.ts";
import { repeatedPlaces } from "./repeats.ts";
import { counted, degreesBetween, distance, frameOf, type Slice, sliceName } from "./slice.ts";
import { depthsOf, evenWithinMm, isEven, median } from "./spacing.ts";

export type Irregularity = { readonly kind: IrregularSeriesError["kind"]; readonly message: string };

/** At the edge of a chest, 250 mm from its middle, a tenth of a degree is less than half a millimetre: below any pixel of a CT. */
const sameOrientationDegrees = 0.1;
/** Of a pixel: rows and columns of the first and the last slice lie over each other, to the nearest. */
const uprightPixels = 0.5;
/** A distance within this share of a whole number of spacings means that slices are missing. */
const wholeShare = 0.05;
/** Pairs of slices that a message names. */
const named = 3;

/** All that keeps slices, in order along their normal, from being a regular grid; nothing for those that are one. */
export function irregularities(slices: readonly Slice[]): Irregularity[] {
  return [mixedOrientation, duplicates, uneven, oblique].flatMap((check) => check(slices) ?? []);
}

function mixedOrientation(slices: readonly Slice[]): Irregularity | undefined {
  const first = slices[0]!;
  const turned = slices.filter((slice) => turnedBy(slice, first) > sameOrientationDegrees);
  if (turned.length === 0) return undefined;
  const most = turned.reduce((a, b) => (turnedBy(b, first) > turnedBy(a, first) ? b : a));
  return {
    kind: "mixed-orientation",
    message: `slices are turned against each other: ${turned.length} of ${slices.length} by more than ${sameOrientationDegrees}° from ${sliceName(first)}, ${sliceName(most)} by ${turnedBy(most, first).toFixed(2)}°`,
  };
}

export const turnedBy = (a: Slice, b: Slice): number => degreesBetween(frameOf(a).orientation, frameOf(b).orientation);
export const isTurned = (a: Slice, b: Slice): boolean => turnedBy(a, b) > sameOrientationDegrees;

function duplicates(slices: readonly Slice[]): Irregularity | undefined {
  const pairs = repeatedPlaces(slices);
  if (pairs.length === 0) return undefined;
  const listed = pairs.map(([a, b]) => `${sliceName(a)} and ${sliceName(b)} at ${mm(distance(a, slices[0]!))} mm`);
  return { kind: "duplicates", message: `slices lie at one place: ${some(listed)}` };
}

function uneven(slices: readonly Slice[]): Irregularity | undefined {
  if (slices.length < 3) return undefined;
  const depths = depthsOf(slices);
  if (isEven(depths)) return undefined;
  const gaps = depths.slice(1).map((depth, i) => ({ mm: depth - depths[i]!, i }));
  const usual = median(gaps.map((gap) => gap.mm));
  const odd = gaps.filter((gap) => Math.abs(gap.mm - usual) > evenWithinMm(usual));
  const missing = odd.map((gap) => gap.mm / usual - 1);
  const isGap =
    usual > 0 && odd.length > 0 && missing.every((n) => n > 0.5 && Math.abs(n - Math.round(n)) <= wholeShare * (n + 1));
  const between = ({ mm: distance, i }: (typeof gaps)[number]) =>
    `${mm(distance)} mm between ${sliceName(slices[i]!)} and ${sliceName(slices[i + 1]!)}`;
  if (isGap) {
    const count = missing.reduce((sum, n) => sum + Math.round(n), 0);
    return {
      kind: "gap",
      message: `${counted(count, "slice")} ${count === 1 ? "is" : "are"} missing: ${some(odd.map(between))}, ${mm(usual)} mm elsewhere`,
    };
  }
  if (odd.length === 0)
    return {
      kind: "uneven",
      message: `slice spacing drifts: from ${mm(Math.min(...gaps.map((gap) => gap.mm)))} to ${mm(Math.max(...gaps.map((gap) => gap.mm)))} mm`,
    };
  const regular = gaps.find((gap) => !odd.includes(gap));
  return {
    kind: "uneven",
    message: `slice spacing is not constant: ${some([...(regular ? [between(regular)] : []), ...odd.map(between)])}`,
  };
}

/** Slices that aren't stacked along their normal: by a tilted gantry, or moved in their planes in some other way. */
function oblique(slices: readonly Slice[]): Irregularity | undefined {
  const [first, last] = [slices[0]!, slices.at(-1)!];
  const { pixelSpacingMm } = frameOf(first);
  const pixel = Math.min(...pixelSpacingMm!);
  const offsets = slices.map((slice) => inPlane(slice, first));
  const furthest = offsets.reduce((most, offset, k) => (size(offset) > size(offsets[most]!) ? k : most), 0);
  if (size(offsets[furthest]!) <= uprightPixels * pixel) return undefined;
  const depths = depthsOf(slices);
  const depth = depths.at(-1)!;
  const end = offsets.at(-1)!;
  const isStraight = offsets.every((offset, k) => {
    const share = depths[k]! / depth;
    return size([offset[0] - share * end[0], offset[1] - share * end[1]]) <= uprightPixels * pixel;
  });
  if (isStraight)
    return {
      kind: "tilt",
      message: `the slices are tilted by ${degrees(Math.atan2(size(end), depth))}° (gantry tilt): ${sliceName(last)} lies ${mm(size(end))} mm beside the normal through ${sliceName(first)}, over ${mm(depth)} mm`,
    };
  return {
    kind: "shift",
    message: `slices are shifted in their planes: ${sliceName(slices[furthest]!)} lies ${mm(size(offsets[furthest]!))} mm beside the normal through ${sliceName(first)}`,
  };
}

/** How far a slice lies from the normal through the reference's first voxel, mm along rows' and columns' indices. */
export function inPlane(slice: Slice, reference: Slice): readonly [number, number] {
  const [column, row] = frameOf(reference).orientation!;
  const offset: Vec3 = subtract(frameOf(slice).positionMm!, frameOf(reference).positionMm!);
  return [dot(offset, row), dot(offset, column)];
}

const size = ([a, b]: readonly [number, number]) => Math.hypot(a, b);
const degrees = (angleRad: number) => ((angleRad * 180) / Math.PI).toFixed(2);
/** To a hundredth, as positions are written. */
const mm = (value: number) => String(Number(value.toFixed(2)));

const some = (texts: readonly string[]) =>
  `${texts.slice(0, named).join(", ")}${texts.length > named ? ` and ${texts.length - named} more` : ""}`;
