import { distance, frameOf, type Slice } from "./slice.ts";
import { depthsOf, isEven } from "./spacing.ts";

/**
 * What tells slices at one and the same place from each other: repeated acquisitions, time points, reconstructions. The first
 * that leaves no place twice is taken.
 */
const tellApart: Readonly<Record<string, (slice: Slice) => string>> = {
  TemporalPositionIdentifier: (slice) =>
    String(frameOf(slice).temporalPosition ?? slice.instance.attributes?.TemporalPositionIdentifier ?? ""),
  AcquisitionNumber: ({ instance }) => String(instance.acquisitionNumber ?? ""),
  ConvolutionKernel: ({ instance }) => instance.attributes?.ConvolutionKernel ?? "",
  ImageType: ({ instance }) => instance.imageType.join("\\"),
  AcquisitionTime: ({ instance }) => instance.attributes?.AcquisitionTime ?? "",
};

/** Positions nearer than this share of a pixel are one place. */
const samePlace = 0.01;

/**
 * Splits slices, in order along their normal, where places occur more than once, or where sets that are even by themselves lie
 * among each other unevenly; as one set where nothing tells them apart.
 */
export function distinctSets(slices: readonly Slice[]): { slices: readonly Slice[]; by: string[] }[] {
  const whole = [{ slices, by: [] }];
  const isRepeated = repeatedPlaces(slices).length > 0;
  if (!isRepeated && (!isPlaced(slices) || isEven(depthsOf(slices)))) return whole;
  const areDistinct = isRepeated ? arePlacedOnce : areEvenAmongEachOther;
  for (const [name, tellingOf] of Object.entries(tellApart)) {
    const sets = new Map<string, Slice[]>();
    for (const slice of slices) {
      const set = sets.get(tellingOf(slice));
      if (set === undefined) sets.set(tellingOf(slice), [slice]);
      else set.push(slice);
    }
    if (sets.size > 1 && areDistinct([...sets.values()]))
      return [...sets].map(([value, slices]) => ({ slices, by: [`${name} ${value || "(none)"}`] }));
  }
  return whole;
}

const isPlaced = (slices: readonly Slice[]) => slices.every((slice) => frameOf(slice).positionMm !== undefined);
const arePlacedOnce = (sets: readonly Slice[][]) => sets.every((set) => repeatedPlaces(set).length === 0);

/** Acquisitions over the same stretch of the patient, of three slices or more. What follows one another is one scan with a gap. */
function areEvenAmongEachOther(sets: readonly Slice[][]): boolean {
  const reference = sets[0]![0]!;
  const first = Math.max(...sets.map((set) => distance(set[0]!, reference)));
  const last = Math.min(...sets.map((set) => distance(set.at(-1)!, reference)));
  return first < last && sets.every((set) => set.length > 2 && isEven(depthsOf(set)));
}

/** Pairs of neighbours at one place, of slices in order. What has no position is at no place. */
export function repeatedPlaces(slices: readonly Slice[]): [Slice, Slice][] {
  const pairs: [Slice, Slice][] = [];
  const depths = depthsOf(slices);
  for (let i = 1; i < slices.length; i++) {
    const [a, b] = [slices[i - 1]!, slices[i]!];
    if (frameOf(a).positionMm === undefined || frameOf(b).positionMm === undefined) continue;
    const pixel = frameOf(a).pixelSpacingMm?.[0] ?? 1;
    if (Math.abs(depths[i]! - depths[i - 1]!) < samePlace * pixel) pairs.push([a, b]);
  }
  return pairs;
}
