import type { Instance, PixelLayout } from "./instance.ts";
import { distinctSets } from "./repeats.ts";
import type { Identity } from "./scan.ts";
import { degreesBetween, distance, frameOf, type Slice } from "./slice.ts";
import { nonImage } from "./sop-classes.ts";
import type { SetAside } from "./sources/entry.ts";

/** Slices that could be one scan: of one DICOM series, frame of reference, plane, size and spacing, in order along their normal. */
export type Series = {
  readonly modality: string;
  /** As the first slice has it. */
  readonly identity: Identity;
  readonly slices: readonly Slice[];
  /** What tells it from others under the same SeriesInstanceUID: "orientation", "size", "AcquisitionNumber 2" … */
  readonly splitBy: readonly string[];
};

/** Planes turned against each other by more are different planes, not one that is imprecise. */
const otherPlaneDegrees = 5;
/** A handful of slices in another plane beside a whole scan: how scanners leave their localizers in a series. */
const fewSlices = 3;
const manySlices = 12;

/**
 * Puts instances into series. What is no image, and localizers, are set aside with the reason. The order of the instances, their
 * names and their numbers don't matter.
 */
export function seriesOf(instances: Iterable<Instance>): { series: Series[]; setAside: SetAside[] } {
  const setAside: SetAside[] = [];
  const byUid = new Map<string, Slice[]>();
  for (const instance of instances) {
    const reason = nonImage(instance) ?? localizer(instance);
    if (reason !== undefined) {
      setAside.push({ name: instance.name, reason });
      continue;
    }
    const key = seriesKey(instance);
    const slices = byUid.get(key) ?? [];
    for (const frame of instance.frames.keys()) slices.push({ instance, frame });
    byUid.set(key, slices);
  }
  const series: Series[] = [];
  for (const slices of byUid.values()) {
    const parts = partsOf(slices.sort(alongOwnNormal)).map(ordered);
    const largest = parts.reduce((a, b) => (b.length > a.length ? b : a));
    const kept = parts.filter((part) => {
      const reason = part === largest ? undefined : oddPlane(part, largest);
      for (const slice of reason === undefined ? [] : part)
        setAside.push({ name: slice.instance.name, reason: reason! });
      return reason === undefined;
    });
    for (const part of kept) {
      const differences = part === kept[0] && kept.length === 1 ? [] : differencesOf(part, kept);
      for (const { slices, by } of distinctSets(part))
        series.push({
          modality: slices[0]!.instance.modality,
          identity: slices[0]!.instance.identity,
          slices,
          splitBy: [...differences, ...by],
        });
    }
  }
  return { series, setAside };
}

/** DICOM's own unit, of one patient. Where it has no name, its number takes its place. */
function seriesKey({ identity, modality }: Instance): string {
  const { StudyInstanceUID, SeriesInstanceUID, PatientID = "", SeriesNumber = "" } = identity;
  const name = SeriesInstanceUID === "" ? `number ${SeriesNumber}` : SeriesInstanceUID;
  return JSON.stringify([PatientID, StudyInstanceUID, name, modality]);
}

function localizer({ imageType }: Instance): string | undefined {
  const kind = imageType.find((value) => ["LOCALIZER", "SCOUT", "TOPOGRAM", "SURVEY"].includes(value));
  return kind && `a localizer (ImageType ${imageType.join("\\")})`;
}

/** What slices of one scan agree in, by name, with how to tell. */
const agreements: Readonly<Record<string, (a: Slice, b: Slice) => boolean>> = {
  "frame of reference": (a, b) => a.instance.frameOfReferenceUid === b.instance.frameOfReferenceUid,
  orientation: (a, b) => degreesBetween(frameOf(a).orientation, frameOf(b).orientation) <= otherPlaneDegrees,
  size: (a, b) => pixelKey(a.instance.pixels!) === pixelKey(b.instance.pixels!),
  spacing: (a, b) => sameSpacing(frameOf(a).pixelSpacingMm, frameOf(b).pixelSpacingMm),
};

const pixelKey = ({ rows, columns, samplesPerPixel }: PixelLayout) => `${rows} ${columns} ${samplesPerPixel}`;

/** A difference of a thousandth is half a pixel over 512; rounding to six digits is far below. */
function sameSpacing(a: readonly [number, number] | undefined, b: readonly [number, number] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.every((spacing, i) => Math.abs(spacing - b[i]!) <= 0.001 * spacing);
}

/** Groups whose members agree in everything; each slice is compared with the first of a group. */
function partsOf(slices: readonly Slice[]): Slice[][] {
  const parts: Slice[][] = [];
  for (const slice of slices) {
    const part = parts.find(([first]) => Object.values(agreements).every((agree) => agree(first!, slice)));
    if (part === undefined) parts.push([slice]);
    else part.push(slice);
  }
  return parts;
}

function oddPlane(part: readonly Slice[], largest: readonly Slice[]): string | undefined {
  const degrees = degreesBetween(frameOf(part[0]!).orientation, frameOf(largest[0]!).orientation);
  if (part.length > fewSlices || largest.length < manySlices || degrees <= otherPlaneDegrees) return undefined;
  return `turned by ${degrees.toFixed(1)}° from the ${largest.length} other slices of its series: a localizer, it seems`;
}

function differencesOf(part: readonly Slice[], parts: readonly (readonly Slice[])[]): string[] {
  return Object.entries(agreements)
    .filter(([, agree]) => parts.some((other) => other !== part && !agree(other[0]!, part[0]!)))
    .map(([name]) => name);
}

/** Position first. What lies at one place is put in an order that doesn't depend on names, as long as it can. */
const byPlace = (placeOf: (slice: Slice) => number) => (a: Slice, b: Slice) =>
  placeOf(a) - placeOf(b) || compare(tieBreak(a), tieBreak(b)) || a.frame - b.frame;
/** For slices of any orientation: what comes first doesn't depend on the order of the files. */
const alongOwnNormal = byPlace((slice) => distance(slice, slice));

/** Along the normal of one of them. */
export function ordered(slices: readonly Slice[]): Slice[] {
  return [...slices].sort(byPlace((slice) => distance(slice, slices[0]!)));
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const tieBreak = ({ instance }: Slice) => `${instance.sopInstanceUid}\0${instance.name}`;
