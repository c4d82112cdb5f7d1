import { readHeader } from "../src/dicom/header.ts";
import type { Instance } from "../src/dicom/instance.ts";
import type { Geometry } from "../src/volume/geometry.ts";
import { ctImage } from "../src/write/ct-series.ts";
import { type Dataset, part10 } from "../src/write/part10.ts";

/** Four rows and five columns, 2.5 mm from slice to slice, LPS. */
export const smallGeometry = (slices: number): Geometry => ({
  shape: [slices, 4, 5],
  spacingMm: [2.5, 0.8, 0.6],
  originMm: [-10, -20, 30],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
});

export type CtInstances = {
  readonly geometry?: Geometry;
  readonly key?: string;
  readonly edit?: (dataset: Dataset, k: number) => Dataset | undefined;
};

/** CT images as they come out of files, in memory. Slice k's values are 100·k. */
export function ctInstances(
  slices: number,
  { geometry = smallGeometry(slices), key = "a", edit }: CtInstances = {},
): Instance[] {
  const [, rows, columns] = geometry.shape;
  const data = Int16Array.from({ length: slices * rows * columns }, (_, i) => 100 * Math.floor(i / (rows * columns)));
  return Array.from({ length: slices }, (_, k) => {
    const image = ctImage({ geometry, data }, k, { key, patientId: "P" });
    const edited = edit === undefined ? image : edit(image, k);
    return edited === undefined ? [] : [readHeader(`IM${k}`, { bytes: part10(edited) })];
  }).flat();
}

/** Moves a slice to `positionMm`. */
export const at = (dataset: Dataset, positionMm: readonly number[]): Dataset => ({
  ...dataset,
  ImagePositionPatient: positionMm.map(String),
});
