import { join } from "node:path";
import type { Scan } from "../dicom/scan.ts";
import { PictureError } from "../errors.ts";
import { positionOf } from "../volume/geometry.ts";
import { codes } from "./codes.ts";
import { commonModules, kinds, provenanceText, type ResultOf, resultUid, type WrittenInstance } from "./common.ts";
import { decimal } from "./ct-series.ts";
import { frameOfReference, isPlaced, orientation, orientationLetters } from "./frames.ts";
import { type Dataset, elementHeader, part10 } from "./part10.ts";
import { instanceReference, referencedSeries } from "./references.ts";
import { dateOf, shortText, timeOf } from "./text.ts";
import { writePieces } from "./write-pieces.ts";

const kind = kinds.secondaryCapture;

/** A slice as it is shown: fused colours, a legend, "research use only" burnt in. */
export type SlicePicture = {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 8 bits. May be overwritten once the next picture is asked for. */
  readonly rgb: Uint8Array;
  /**
   * Where the slice is in the picture: its first voxel's corner at (left, top), each voxel `scale` pixels wide and high. Without
   * it, or where pictures have no place in the patient, viewers can't measure in the picture or link it with the scan.
   */
  readonly place?: { readonly left: number; readonly top: number; readonly scale: number };
};

export type SecondaryCaptureOptions = {
  /** What pictures look like: colours, opacity, window. Part of what tells one result from another. */
  readonly look: string;
  /** Which slices, in the scan's order; all without it. */
  readonly slices?: readonly number[];
};

/**
 * Pictures of slices as a series of Secondary Capture images (PS3.3, A.8.1), the one kind that every archive shows: one file
 * per slice, true colour. Memory holds one picture. Throws PictureError, FileError.
 */
export async function writeSecondaryCapture(
  folder: string,
  picture: (k: number) => SlicePicture | Promise<SlicePicture>,
  of: ResultOf,
  { look, slices = of.scan.slices.map((_, k) => k) }: SecondaryCaptureOptions,
): Promise<WrittenInstance[]> {
  const seriesInstanceUid = resultUid(of, kind, "series", look);
  const written: WrittenInstance[] = [];
  for (const k of slices) {
    const drawn = await picture(k);
    checkPicture(drawn, k, of.scan);
    const sopInstanceUid = resultUid(of, kind, "instance", look, String(k));
    const path = join(folder, `SC${String(k + 1).padStart(4, "0")}.dcm`);
    const header = part10(secondaryCapture(of, k, drawn, seriesInstanceUid, sopInstanceUid));
    const padding = new Uint8Array(drawn.rgb.length % 2);
    const pixels = elementHeader(0x7fe0, 0x0010, "OB", drawn.rgb.length + padding.length);
    await writePieces(path, [header, pixels, drawn.rgb, padding]);
    written.push({ path, sopClassUid: kind.sopClassUid, sopInstanceUid, seriesInstanceUid });
  }
  return written;
}

function checkPicture({ width, height, rgb }: SlicePicture, k: number, { slices }: Scan): void {
  const isSize = (n: number) => Number.isInteger(n) && n > 0 && n <= 0xffff; // Rows and Columns are US
  if (slices[k] === undefined) throw new PictureError(k, `the scan has ${slices.length} slices`);
  if (!isSize(width) || !isSize(height) || rgb.length !== width * height * 3)
    throw new PictureError(
      k,
      `${width} x ${height} pixels in ${rgb.length} bytes, expected 3 for each of up to 65535 x 65535`,
    );
}

function secondaryCapture(
  of: ResultOf,
  k: number,
  drawn: SlicePicture,
  seriesUid: string,
  instanceUid: string,
): Dataset {
  const { scan, provenance } = of;
  const source = scan.slices[k]!;
  return {
    ...commonModules(of, kind, seriesUid, instanceUid),
    ...referencedSeries(scan, [source]),
    ...plane(scan, k, drawn),
    ImageType: ["DERIVED", "SECONDARY"],
    ConversionType: "WSD", // made at a workstation
    SecondaryCaptureDeviceManufacturer: "camkit",
    InstanceNumber: String(k + 1),
    ContentDate: dateOf(provenance.time),
    ContentTime: timeOf(provenance.time),
    DerivationDescription: shortText(`Map in colour over the image. Research use only. ${provenanceText(provenance)}`),
    DerivationCodeSequence: [codes.imageProcessing],
    SourceImageSequence: [{ ...instanceReference(source), PurposeOfReferenceCodeSequence: [codes.sourceImage] }],
    SamplesPerPixel: 3,
    PhotometricInterpretation: "RGB",
    PlanarConfiguration: 0,
    Rows: drawn.height,
    Columns: drawn.width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    BurnedInAnnotation: "YES",
    LossyImageCompression: "00",
  };
}

/** Where the picture lies in the patient, if it does: the plane of its slice, in the picture's own pixels. */
function plane(scan: Scan, k: number, { place }: SlicePicture): Dataset {
  if (place === undefined || !isPlaced(scan)) return { PatientOrientation: "" };
  const { geometry } = scan;
  // The centre of the picture's first pixel, in voxels from the centre of the slice's first.
  const index = (from: number) => (0.5 - from) / place.scale - 0.5;
  const [, row, column] = geometry.spacingMm;
  return {
    ...frameOfReference(scan),
    PatientOrientation: orientationLetters(geometry),
    ImagePositionPatient: positionOf(geometry, [k, index(place.top), index(place.left)]).map(decimal),
    ImageOrientationPatient: orientation(geometry),
    PixelSpacing: [row / place.scale, column / place.scale].map(decimal),
    SliceThickness: decimal(scan.slices[k]!.sliceThicknessMm ?? geometry.spacingMm[0]),
  };
}
