import type { VoxelMap } from "../volume/volume.ts";
import { codes, quantityOf } from "./codes.ts";
import { commonModules, kinds, provenanceText, type ResultOf, resultUid, type WrittenInstance } from "./common.ts";
import { dimensionModule, dimensions, frameOfReference, framePlane, sharedPlane } from "./frames.ts";
import { checkGrid, mapSlices } from "./map-slices.ts";
import { type Dataset, elementHeader, part10 } from "./part10.ts";
import { derivationImage, referencedSeries } from "./references.ts";
import { dateOf, longString, shortString, timeOf } from "./text.ts";
import { writePieces } from "./write-pieces.ts";

const kind = kinds.parametricMap;
const imageType = ["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"];

/**
 * A map as a DICOM Parametric Map (PS3.3, A.75): 32-bit floats in [0, 1] on the scan's own grid, one frame per slice in the
 * scan's order, each referring to the slice it was made of. Values are the map's own: rescaling is the identity.
 * Memory holds the header and one slice. Throws MapGridError, MapValueError, ResultSizeError, FileError.
 */
export async function writeParametricMap(path: string, map: VoxelMap, of: ResultOf): Promise<WrittenInstance> {
  const { scan } = of;
  checkGrid(map, scan);
  const seriesInstanceUid = resultUid(of, kind, "series");
  const sopInstanceUid = resultUid(of, kind, "instance");
  const header = part10(parametricMap(of, seriesInstanceUid, sopInstanceUid));
  const [slices, rows, columns] = scan.geometry.shape;
  // (7FE0,0008) comes after everything else in the data set, so it can be appended.
  const pixels = elementHeader(0x7fe0, 0x0008, "OF", slices * rows * columns * 4);
  await writePieces(path, pieces(header, pixels, map, of));
  return { path, sopClassUid: kind.sopClassUid, sopInstanceUid, seriesInstanceUid };
}

function* pieces(header: Uint8Array, pixels: Uint8Array, map: VoxelMap, { scan }: ResultOf): Generator<Uint8Array> {
  yield header;
  yield pixels;
  for (const slice of mapSlices(map, scan)) yield new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength);
}

/** The data set without its pixels. */
function parametricMap(of: ResultOf, seriesUid: string, instanceUid: string): Dataset {
  const { scan, provenance } = of;
  const [slices, rows, columns] = scan.geometry.shape;
  return {
    ...commonModules(of, kind, seriesUid, instanceUid),
    ...frameOfReference(scan),
    ...referencedSeries(scan),
    ...dimensionModule(instanceUid, [dimensions.position]),
    ImageType: imageType,
    InstanceNumber: "1",
    ContentDate: dateOf(provenance.time),
    ContentTime: timeOf(provenance.time),
    ContentLabel: "HEATMAP",
    ContentDescription: longString(`${provenance.method} of ${provenance.target}`),
    ContentQualification: "RESEARCH",
    ImageComments: provenanceText(provenance),
    AcquisitionContextSequence: [],
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    PixelPresentation: "MONOCHROME",
    NumberOfFrames: String(slices),
    Rows: rows,
    Columns: columns,
    BitsAllocated: 32,
    BurnedInAnnotation: "NO",
    RecognizableVisualFeatures: "NO",
    LossyImageCompression: "00",
    PresentationLUTShape: "IDENTITY",
    SharedFunctionalGroupsSequence: [
      {
        ...sharedPlane(scan),
        PixelValueTransformationSequence: [{ RescaleIntercept: "0", RescaleSlope: "1", RescaleType: "US" }],
        FrameVOILUTSequence: [{ WindowCenter: "0.5", WindowWidth: "1" }],
        RealWorldValueMappingSequence: [realWorldValues(provenance.method)],
        ParametricMapFrameTypeSequence: [{ FrameType: imageType }],
      },
    ],
    PerFrameFunctionalGroupsSequence: Array.from({ length: slices }, (_, k) => ({
      ...derivationImage(scan, k, codes.imageProcessing),
      ...framePlane(scan, k, [k + 1]),
    })),
  };
}

/** Stored values are the quantity itself, without a unit: PS3.3, C.7.6.16.2.11. */
const realWorldValues = (method: string): Dataset => ({
  LUTExplanation: longString(`${quantityOf(method).CodeMeaning}, 0 to 1`),
  LUTLabel: shortString(method),
  MeasurementUnitsCodeSequence: [codes.noUnits],
  DoubleFloatRealWorldValueFirstValueMapped: 0,
  DoubleFloatRealWorldValueLastValueMapped: 1,
  RealWorldValueIntercept: 0,
  RealWorldValueSlope: 1,
  QuantityDefinitionSequence: [
    { ValueType: "CODE", ConceptNameCodeSequence: [codes.quantity], ConceptCodeSequence: [quantityOf(method)] },
  ],
});
