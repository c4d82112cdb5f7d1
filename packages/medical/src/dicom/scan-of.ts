import { IrregularSeriesError, MissingGeometryError } from "../errors.ts";
import type { Geometry } from "../volume/geometry.ts";
import { irregularities } from "./irregular.ts";
import { withoutDuplicates, withoutOtherPlanes } from "./repair.ts";
import { type Resampling, resamplingOf } from "./resampling.ts";
import type { Scan, SliceSource } from "./scan.ts";
import type { Series } from "./series.ts";
import { frameOf, normalOf, type Slice, sliceName } from "./slice.ts";
import { depthsOf } from "./spacing.ts";
import { withUids } from "./uids-of.ts";
import { unitNotes } from "./units.ts";

/** A scan and where its voxels come from. */
export type OrderedScan = {
  readonly scan: Scan;
  /** What to decode, in order, for `loadVolume`. Slice k of the scan is source k, unless it is resampled. */
  readonly source: { readonly geometry: Geometry; readonly slices: readonly Slice[] };
  /** How the scan's slices are made of the sources, where they aren't the sources themselves. */
  readonly resampling?: Resampling;
};

export type ScanOptions = {
  /** Resamples what doesn't lie on a regular grid, instead of refusing it. */
  readonly allowIrregular?: boolean;
};

/**
 * A series as a scan: its slices on one regular grid, LPS millimetres, index (0,0,0) the centre of the first voxel; the slice index
 * grows along the normal of the image plane. Illegal and missing UIDs are replaced.
 * Throws MissingGeometryError where positions, orientation or pixel spacing are missing, IrregularSeriesError where slices are
 * duplicated, missing, unevenly spaced, tilted or turned: those are resampled with `allowIrregular`, and noted.
 */
export function scanOf(series: Series, { allowIrregular = false }: ScanOptions = {}): OrderedScan {
  checkGeometry(series.slices);
  const notes =
    series.splitBy.length === 0 ? [] : [`one of several scans in its DICOM series, by ${series.splitBy.join(", ")}`];
  let slices = series.slices;
  if (allowIrregular) {
    for (const repair of [withoutOtherPlanes, withoutDuplicates]) {
      const repaired = repair(slices);
      slices = repaired.slices;
      notes.push(...repaired.notes);
    }
  }
  const [first, ...others] = irregularities(slices);
  if (first !== undefined && !allowIrregular) throw refusal(first);
  const grid = gridOf(slices, notes);
  if (first === undefined) return finish(slices, grid, slices, notes);
  const resampling = resamplingOf(slices, grid);
  notes.push(...[first, ...others].map(({ message }) => `resampled: ${message}`));
  const nearest = resampling.slices.map(({ below, above, weight }) => slices[weight < 0.5 ? below : above]!);
  return {
    ...finish(slices, resampling.geometry, nearest, notes, true),
    source: { geometry: grid, slices },
    resampling,
  };
}

function refusal({ kind, message }: ReturnType<typeof irregularities>[number]): IrregularSeriesError {
  return new IrregularSeriesError(kind, message, {
    hint: "Pass { allowIrregular: true } (--allow-irregular) to resample, or check for missing or foreign files.",
  });
}

function checkGeometry(slices: readonly Slice[]) {
  const needed = [
    ["ImagePositionPatient (0020,0032)", "positionMm"],
    ["ImageOrientationPatient (0020,0037)", "orientation"],
    ["PixelSpacing (0028,0030)", "pixelSpacingMm"],
  ] as const;
  for (const [name, key] of needed) {
    const without = slices.filter((slice) => frameOf(slice)[key] === undefined);
    if (without.length > 0)
      throw new MissingGeometryError(
        `${name} is missing in ${without.length} of ${slices.length} slices, in ${sliceName(without[0]!)} for one`,
        {
          hint: "Nothing says where these voxels lie or how large they are; export the series again, from its scanner or PACS.",
        },
      );
  }
}

/** The grid that begins at the first slice, with its plane and the mean spacing. */
function gridOf(slices: readonly Slice[], notes: string[]): Geometry {
  const first = slices[0]!;
  const { positionMm, orientation, pixelSpacingMm, sliceThicknessMm } = frameOf(first);
  const [column, row] = orientation!;
  const { rows, columns } = first.instance.pixels!;
  let spacing = depthsOf(slices).at(-1)! / (slices.length - 1);
  if (slices.length === 1) {
    spacing = sliceThicknessMm !== undefined && sliceThicknessMm > 0 ? sliceThicknessMm : 1;
    notes.push(
      sliceThicknessMm === spacing
        ? `a single slice: its thickness, ${spacing} mm, stands for the spacing`
        : "a single slice without a thickness: 1 mm is assumed",
    );
  }
  return {
    shape: [slices.length, rows, columns],
    spacingMm: [spacing, ...pixelSpacingMm!],
    originMm: positionMm!,
    directions: [normalOf([column, row]), row, column],
  };
}

function finish(
  slices: readonly Slice[],
  geometry: Geometry,
  sources: readonly Slice[],
  notes: readonly string[],
  resampled?: true,
): OrderedScan {
  const uids = withUids(slices);
  const scan: Scan = {
    modality: slices[0]!.instance.modality,
    geometry,
    frameOfReferenceUid: uids.frameOfReferenceUid,
    slices: sources.map((slice) => sourceOf(slice, uids.sopInstanceUid(slice.instance))),
    identity: uids.identity,
    remapped: uids.remapped,
    ...(resampled && { resampled }),
    notes: [...notes, ...unitNotes(slices), ...uids.notes],
  };
  return { scan, source: { geometry, slices } };
}

export function sourceOf(slice: Slice, sopInstanceUid: string): SliceSource {
  const { instance, frame } = slice;
  const { sliceThicknessMm } = frameOf(slice);
  return {
    name: instance.name,
    sopClassUid: instance.sopClassUid,
    sopInstanceUid,
    ...(instance.frames.length > 1 && { frame: frame + 1 }),
    ...(instance.instanceNumber !== undefined && { instanceNumber: instance.instanceNumber }),
    ...(sliceThicknessMm !== undefined && { sliceThicknessMm }),
  };
}
