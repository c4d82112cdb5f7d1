import { ThresholdError } from "../errors.ts";
import type { VoxelMap } from "../volume/volume.ts";
import { BitWriter } from "./bits.ts";
import { codes } from "./codes.ts";
import { commonModules, kinds, provenanceText, type ResultOf, resultUid, type WrittenInstance } from "./common.ts";
import { dimensionModule, dimensions, frameOfReference, framePlane, isPlaced, sharedPlane } from "./frames.ts";
import { checkGrid, mapSlices } from "./map-slices.ts";
import { type Dataset, elementHeader, part10 } from "./part10.ts";
import { derivationImage, referencedSeries } from "./references.ts";
import { dateOf, longString, shortText, timeOf } from "./text.ts";
import { writePieces } from "./write-pieces.ts";

const kind = kinds.segmentation;

export type SegmentationResult =
  | (WrittenInstance & {
      readonly kind: "segmentation";
      readonly voxels: number;
      readonly volumeMl: number;
      readonly trackingId: string;
      readonly trackingUid: string;
    })
  /** No voxel reaches the threshold: a segmentation without frames would be illegal, so there is no file. */
  | { readonly kind: "nothing-above-threshold"; readonly threshold: number; readonly largest: number };

/**
 * The voxels of a map that reach a threshold as a binary DICOM Segmentation (PS3.3, A.51) with one segment; slices without any
 * are left out. The segment is a region that an algorithm selected, and claims to be nothing more.
 * Memory holds one slice of the map and a bit per voxel. Throws ThresholdError, MapGridError, MapValueError, FileError.
 */
export async function writeSegmentation(
  path: string,
  map: VoxelMap,
  of: ResultOf,
  threshold: number,
): Promise<SegmentationResult> {
  if (!(threshold > 0 && threshold <= 1)) throw new ThresholdError(threshold);
  checkGrid(map, of.scan);
  const { bits, frames, voxels, largest } = thresholded(map, of, threshold);
  if (frames.length === 0) return { kind: "nothing-above-threshold", threshold, largest };
  const uid = (part: string) => resultUid(of, kind, part, String(threshold));
  const [seriesInstanceUid, sopInstanceUid, trackingUid] = [uid("series"), uid("instance"), uid("tracking")];
  const trackingId = longString(`${of.provenance.method} ${of.provenance.target} >= ${threshold}`);
  const header = part10({
    ...segmentation(of, frames, seriesInstanceUid, sopInstanceUid),
    SegmentSequence: [segment(of, threshold, trackingId, trackingUid)],
  });
  await writePieces(path, [header, elementHeader(0x7fe0, 0x0010, "OB", bits.length), bits]);
  const volumeMl = (voxels * of.scan.geometry.spacingMm.reduce((a, b) => a * b)) / 1000;
  const { sopClassUid } = kind;
  return {
    kind: "segmentation",
    path,
    sopClassUid,
    sopInstanceUid,
    seriesInstanceUid,
    voxels,
    volumeMl,
    trackingId,
    trackingUid,
  };
}

/** Which slices have voxels that reach the threshold, and the bits of those slices. */
function thresholded(map: VoxelMap, { scan }: ResultOf, threshold: number) {
  const [slices, rows, columns] = scan.geometry.shape;
  const bits = new BitWriter(slices * rows * columns);
  const frames: number[] = [];
  let voxels = 0;
  let largest = 0;
  let k = 0;
  for (const slice of mapSlices(map, scan)) {
    const most = largestOf(slice);
    if (most >= threshold) {
      voxels += bits.addAtLeast(slice, threshold);
      frames.push(k);
    }
    largest = Math.max(largest, most);
    k++;
  }
  return { bits: bits.padded(), frames, voxels, largest };
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > largest) largest = values[i]!;
  return largest;
}

/** The data set without segments and pixels; `frames` are the slices that it has. */
function segmentation(of: ResultOf, frames: readonly number[], seriesUid: string, instanceUid: string): Dataset {
  const { scan, provenance } = of;
  const [, rows, columns] = scan.geometry.shape;
  const placed = isPlaced(scan);
  return {
    ...commonModules(of, kind, seriesUid, instanceUid),
    Laterality: undefined, // a segment says where it is itself
    // A projection's segmentation needs no place; viewers lay it over the source by the reference. General Image then wants this.
    ...(placed ? frameOfReference(scan) : { PatientOrientation: "" }),
    ...referencedSeries(scan),
    ...dimensionModule(instanceUid, placed ? [dimensions.segment, dimensions.position] : [dimensions.segment]),
    ImageType: ["DERIVED", "PRIMARY"],
    InstanceNumber: "1",
    ContentDate: dateOf(provenance.time),
    ContentTime: timeOf(provenance.time),
    ContentLabel: "HEATMAP_REGION",
    ContentDescription: longString(`Where ${provenance.method} of ${provenance.target} is strong`),
    ContentCreatorName: "camkit^",
    ImageComments: provenanceText(provenance),
    SegmentationType: "BINARY",
    SegmentsOverlap: "NO",
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    NumberOfFrames: String(frames.length),
    Rows: rows,
    Columns: columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    BurnedInAnnotation: "NO",
    LossyImageCompression: "00",
    SharedFunctionalGroupsSequence: [
      {
        ...(placed ? sharedPlane(scan) : {}),
        SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map((k, i) => ({
      ...derivationImage(scan, k, codes.segmentation),
      ...(placed ? framePlane(scan, k, [1, i + 1]) : { FrameContentSequence: [{ DimensionIndexValues: [1] }] }),
    })),
  };
}

function segment({ provenance }: ResultOf, threshold: number, trackingId: string, trackingUid: string): Dataset {
  const { method, target, model } = provenance;
  return {
    SegmentNumber: 1,
    SegmentLabel: trackingId,
    SegmentDescription: shortText(
      `Voxels where the map of ${method} for ${target} is at least ${threshold}: where the network looked, not where a finding is.`,
    ),
    SegmentAlgorithmType: "AUTOMATIC",
    SegmentAlgorithmName: longString(`camkit ${method}`),
    SegmentationAlgorithmIdentificationSequence: [
      {
        AlgorithmFamilyCodeSequence: [codes.artificialIntelligence],
        AlgorithmName: longString(`camkit ${method}`),
        AlgorithmVersion: longString(provenance.camkitVersion),
        AlgorithmParameters: `threshold=${threshold}; model=${model.name}; sha256=${model.sha256}`,
      },
    ],
    SegmentedPropertyCategoryCodeSequence: [codes.spatialConcept],
    SegmentedPropertyTypeCodeSequence: [codes.selectedRegion],
    // CIELab of a warm orange, scaled to 16 bits as PS3.3, C.10.7.1.1 has it: L 70, a 40, b 60.
    RecommendedDisplayCIELabValue: [45875, 43176, 48316],
    TrackingID: trackingId,
    TrackingUID: trackingUid,
  };
}
