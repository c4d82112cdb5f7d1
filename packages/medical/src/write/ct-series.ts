import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "@camkit/cam-core/data";
import { derivedUid } from "../dicom/uids.ts";
import { positionOf, type Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { type Dataset, part10 } from "./part10.ts";

export type CtSeriesOptions = {
  /** Every UID follows from it. */
  readonly key: string;
  readonly patientId: string;
  readonly patientName?: string;
  readonly seriesDescription?: string;
  /** Changes the data set of a slice before it is written: for what real scanners and broken exports do. */
  readonly edit?: (dataset: Dataset, k: number) => Dataset | undefined;
};

/** CT Image Storage: PS3.4, B.5. */
export const ctImageStorage = "1.2.840.10008.5.1.4.1.1.2";

/**
 * A volume in HU as a series of CT images, one file per slice, 16 bits signed. Returns the paths in the order of the slices.
 * A slice that `edit` answers with undefined for is left out.
 */
export async function writeCtSeries(volume: Volume, folder: string, options: CtSeriesOptions): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (let k = 0; k < volume.geometry.shape[0]; k++) {
    const dataset = ctImage(volume, k, options);
    const edited = options.edit ? options.edit(dataset, k) : dataset;
    if (edited === undefined) continue;
    const path = join(folder, `IM${String(k + 1).padStart(4, "0")}.dcm`);
    await writeAtomic(path, part10(edited));
    paths.push(path);
  }
  return paths;
}

/** One slice as a CT image's data set. */
export function ctImage({ geometry, data }: Volume, k: number, options: CtSeriesOptions): Dataset {
  const { key } = options;
  const [, rows, columns] = geometry.shape;
  const pixels = Int16Array.from(data.subarray(k * rows * columns, (k + 1) * rows * columns), Math.round);
  const [slice, row, column] = geometry.directions;
  return {
    ImageType: ["ORIGINAL", "PRIMARY", "AXIAL"],
    SOPClassUID: ctImageStorage,
    SOPInstanceUID: derivedUid(key, "instance", String(k)),
    StudyDate: "20260101",
    SeriesDate: "20260101",
    AcquisitionDate: "20260101",
    ContentDate: "20260101",
    StudyTime: "120000",
    SeriesTime: "120000",
    AcquisitionTime: "120000",
    ContentTime: "120000",
    AccessionNumber: "",
    Modality: "CT",
    Manufacturer: "camkit",
    ManufacturerModelName: "phantom",
    ReferringPhysicianName: "",
    StudyDescription: "Synthetic chest CT: no patient",
    SeriesDescription: options.seriesDescription ?? "Phantom",
    PatientName: options.patientName ?? "Phantom",
    PatientID: options.patientId,
    PatientBirthDate: "",
    PatientSex: "O",
    BodyPartExamined: "CHEST",
    SliceThickness: decimal(geometry.spacingMm[0]),
    KVP: "120",
    PatientPosition: "HFS",
    StudyInstanceUID: derivedUid(key, "study"),
    SeriesInstanceUID: derivedUid(key, "series"),
    StudyID: "1",
    SeriesNumber: "1",
    AcquisitionNumber: "1",
    InstanceNumber: String(k + 1),
    ImagePositionPatient: positionOf(geometry, [k, 0, 0]).map(decimal),
    ImageOrientationPatient: [...column, ...row].map(decimal),
    FrameOfReferenceUID: derivedUid(key, "frame"),
    PositionReferenceIndicator: "",
    SliceLocation: decimal(along(slice, positionOf(geometry, [k, 0, 0]))),
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: rows,
    Columns: columns,
    PixelSpacing: [geometry.spacingMm[1], geometry.spacingMm[2]].map(decimal),
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    WindowCenter: "-600",
    WindowWidth: "1500",
    RescaleIntercept: "0",
    RescaleSlope: "1",
    RescaleType: "HU",
    PixelData: pixels.buffer,
    _vrMap: { PixelData: "OW" },
  };
}

const along = (direction: Vec3, position: Vec3) => direction.reduce((sum, d, i) => sum + d * position[i]!, 0);

/** A decimal string, DS: at most 16 characters, as exact as they allow. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no decimal string`);
  const short = String(Object.is(value, -0) ? 0 : value);
  if (short.length <= 16) return short;
  for (let digits = 16; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  return value.toExponential(8);
}
