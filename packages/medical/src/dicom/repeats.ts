import { distance, frameOf, type Slice } from "./slice.ts";

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

/** Splits slices, in order along their normal, where places occur more than once; as one set where nothing tells them apart. */
export function distinctSets(slices: readonly Slice[]): { slices: readonly Slice[]; by: string[] }[] {
  const whole = [{ slices, by: [] }];
  if (repeatedPlaces(slices).length === 0) return whole;
  for (const [name, tellingOf] of Object.entries(tellApart)) {
    const sets = new Map<string, Slice[]>();
    for (const slice of slices) {
      const set = sets.get(tellingOf(slice));
      if (set === undefined) sets.set(tellingOf(slice), [slice]);
      else set.push(slice);
    }
    if (sets.size > 1 && [...sets.values()].every((set) => repeatedPlaces(set).length === 0))
      return [...sets].map(([value, slices]) => ({ slices, by: [`${name} ${value || "(none)"}`] }));
  }
  return whole;
}

/** Pairs of neighbours at one place, of slices in order. What has no position is at no place. */
export function repeatedPlaces(slices: readonly Slice[]): [Slice, Slice][] {
  const pairs: [Slice, Slice][] = [];
  for (let i = 1; i < slices.length; i++) {
    const [a, b] = [slices[i - 1]!, slices[i]!];
    if (frameOf(a).positionMm === undefined || frameOf(b).positionMm === undefined) continue;
    const pixel = frameOf(a).pixelSpacingMm?.[0] ?? 1;
    if (Math.abs(distance(b) - distance(a)) < samePlace * pixel) pairs.push([a, b]);
  }
  return pairs;
}
