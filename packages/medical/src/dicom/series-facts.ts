import { dot } from "../volume/geometry.ts";
import { descriptiveKeywords } from "./attributes.ts";
import { identityKeywords } from "./scan.ts";
import type { Series } from "./series.ts";
import { frameOf, normalOf } from "./slice.ts";
import { depthsOf, median } from "./spacing.ts";

type Fact = (series: Series) => readonly string[];
const text = (value: string | number | undefined) => (value === undefined || value === "" ? [] : [String(value)]);

/** What series are chosen by: attributes of their first slice by DICOM keyword, and what follows from all. Several values, or none. */
export const seriesFacts: Readonly<Record<string, Fact>> = {
  ...Object.fromEntries(
    identityKeywords.map((keyword): [string, Fact] => [keyword, ({ identity }) => text(identity[keyword])]),
  ),
  ...Object.fromEntries(
    descriptiveKeywords.map((keyword): [string, Fact] => [
      keyword,
      ({ slices }) => text(slices[0]!.instance.attributes?.[keyword]),
    ]),
  ),
  Modality: ({ modality }) => text(modality),
  SOPClassUID: ({ slices }) => text(slices[0]!.instance.sopClassUid),
  ImageType: ({ slices }) => slices[0]!.instance.imageType,
  AcquisitionNumber: ({ slices }) => text(slices[0]!.instance.acquisitionNumber),
  ImageOrientationPatient: (series) => text(planeOf(series)),
  SliceThickness: ({ slices }) => text(frameOf(slices[0]!).sliceThicknessMm),
  SliceSpacing: (series) => text(spacingOf(series)),
  NumberOfSlices: ({ slices }) => text(slices.length),
  PixelSpacing: ({ slices }) => text(frameOf(slices[0]!).pixelSpacingMm?.[0]),
  Rows: ({ slices }) => text(slices[0]!.instance.pixels!.rows),
  Columns: ({ slices }) => text(slices[0]!.instance.pixels!.columns),
};

/** The plane that a series' pictures are nearest to. */
export function planeOf({ slices }: Series): "Axial" | "Coronal" | "Sagittal" | undefined {
  const { orientation } = frameOf(slices[0]!);
  if (orientation === undefined) return undefined;
  const normal = normalOf(orientation);
  const along = [
    ["Sagittal", [1, 0, 0]],
    ["Coronal", [0, 1, 0]],
    ["Axial", [0, 0, 1]],
  ] as const;
  return along.reduce((a, b) => (Math.abs(dot(normal, b[1])) > Math.abs(dot(normal, a[1])) ? b : a))[0];
}

/** The usual distance between neighbours, mm; a single slice has none. */
export function spacingOf({ slices }: Series): number | undefined {
  if (slices.length < 2 || frameOf(slices[0]!).positionMm === undefined) return undefined;
  const depths = depthsOf(slices);
  return Number(median(depths.slice(1).map((depth, i) => depth - depths[i]!)).toFixed(4));
}
