import type { Scan } from "../dicom/scan.ts";
import { derivedUid } from "../dicom/uids.ts";
import { type Geometry, positionOf } from "../volume/geometry.ts";
import { decimal } from "./ct-series.ts";
import type { Dataset } from "./part10.ts";
import { legal } from "./text.ts";

/**
 * Frame of reference of a result: the source's. A projection has none, but a Parametric Map must have one, so it gets one of its
 * own, in which the geometry is that of the picture: named after the source instance, the same for every result of it.
 */
export const frameOfReference = (scan: Scan): Dataset => ({
  FrameOfReferenceUID:
    scan.frameOfReferenceUid ?? derivedUid("frame of reference of a projection", scan.slices[0]!.sopInstanceUid),
  PositionReferenceIndicator: legal.LO(scan.identity.PositionReferenceIndicator ?? "") ?? "",
});

/** Directions of increasing column and row index, in this order: (0020,0037). */
export const orientation = ({ directions: [, row, column] }: Geometry): string[] => [...column, ...row].map(decimal);

/**
 * Where columns and rows go in letters: (0020,0020), PS3.3, C.7.6.1.1.1. The letter of the largest part first; parts under a
 * twentieth aren't worth one.
 */
export const orientationLetters = ({ directions: [, row, column] }: Geometry): string[] =>
  [column, row].map((direction) =>
    direction
      .map((part, axis) => ({ size: Math.abs(part), letter: ["RL", "AP", "FH"][axis]![part > 0 ? 1 : 0]! }))
      .filter(({ size }) => size > 0.05)
      .sort((a, b) => b.size - a.size)
      .map(({ letter }) => letter)
      .join(""),
  );

/** LPS mm of the first voxel's centre of slice k: (0020,0032). */
export const position = (geometry: Geometry, k: number): string[] => positionOf(geometry, [k, 0, 0]).map(decimal);

/** Whether frames have a place in the patient; those of a projection have one in the picture alone. */
export const isPlaced = (scan: Scan): boolean => scan.frameOfReferenceUid !== undefined;

/** Functional groups that all frames share: where the planes point, and how large voxels are. */
export function sharedPlane({ geometry, slices }: Scan): Dataset {
  const [between, row, column] = geometry.spacingMm;
  const thickness = slices[0]!.sliceThicknessMm;
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: orientation(geometry) }],
    PixelMeasuresSequence: [
      {
        // What the scanner says, which may overlap or leave gaps; without a word of it, the distance.
        SliceThickness: decimal(thickness !== undefined && thickness > 0 ? thickness : between),
        SpacingBetweenSlices: decimal(between),
        PixelSpacing: [row, column].map(decimal),
      },
    ],
  };
}

/** One dimension that tells frames apart: PS3.3, C.7.6.17. */
export type Dimension = { readonly attribute: number; readonly group: number; readonly label: string };

/** Tags as numbers: dcmjs would read text as a decimal number. */
export const dimensions = {
  position: { attribute: 0x00200032, group: 0x00209113, label: "Image Position (Patient)" },
  segment: { attribute: 0x0062000b, group: 0x0062000a, label: "Referenced Segment Number" },
} as const satisfies Record<string, Dimension>;

/** Multi-frame dimension module. All dimensions belong to one organisation, which is named after the instance. */
export function dimensionModule(instanceUid: string, used: readonly Dimension[]): Dataset {
  const organisation = derivedUid("dimension organization", instanceUid);
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organisation }],
    ...(used.includes(dimensions.position) ? { DimensionOrganizationType: "3D" } : {}),
    DimensionIndexSequence: used.map(({ attribute, group, label }) => ({
      DimensionOrganizationUID: organisation,
      DimensionIndexPointer: attribute,
      FunctionalGroupPointer: group,
      DimensionDescriptionLabel: label,
    })),
  };
}

/** Functional groups of one frame: which it is in each dimension (from 1), and where slice k lies. */
export const framePlane = (scan: Scan, k: number, indices: readonly number[]): Dataset => ({
  FrameContentSequence: [{ DimensionIndexValues: indices }],
  PlanePositionSequence: [{ ImagePositionPatient: position(scan.geometry, k) }],
});
