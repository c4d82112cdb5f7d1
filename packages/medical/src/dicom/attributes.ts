import type { Wanted } from "./elements.ts";
import { type IdentityKeyword, identityKeywords } from "./scan.ts";

/** Tag and VR of what camkit reads: PS3.6. `xs` is "US or SS", by the pixel representation. */
const dictionary = {
  TransferSyntaxUID: [0x00020010, "UI"],
  SpecificCharacterSet: [0x00080005, "CS"],
  ImageType: [0x00080008, "CS"],
  SOPClassUID: [0x00080016, "UI"],
  SOPInstanceUID: [0x00080018, "UI"],
  StudyDate: [0x00080020, "DA"],
  SeriesDate: [0x00080021, "DA"],
  AcquisitionDate: [0x00080022, "DA"],
  ContentDate: [0x00080023, "DA"],
  StudyTime: [0x00080030, "TM"],
  SeriesTime: [0x00080031, "TM"],
  AcquisitionTime: [0x00080032, "TM"],
  ContentTime: [0x00080033, "TM"],
  AccessionNumber: [0x00080050, "SH"],
  Modality: [0x00080060, "CS"],
  PresentationIntentType: [0x00080068, "CS"],
  Manufacturer: [0x00080070, "LO"],
  InstitutionName: [0x00080080, "LO"],
  ReferringPhysicianName: [0x00080090, "PN"],
  StudyDescription: [0x00081030, "LO"],
  SeriesDescription: [0x0008103e, "LO"],
  ManufacturerModelName: [0x00081090, "LO"],
  PatientName: [0x00100010, "PN"],
  PatientID: [0x00100020, "LO"],
  IssuerOfPatientID: [0x00100021, "LO"],
  PatientBirthDate: [0x00100030, "DA"],
  PatientSex: [0x00100040, "CS"],
  PatientAge: [0x00101010, "AS"],
  PatientSize: [0x00101020, "DS"],
  PatientWeight: [0x00101030, "DS"],
  ContrastBolusAgent: [0x00180010, "LO"],
  BodyPartExamined: [0x00180015, "CS"],
  ScanOptions: [0x00180022, "CS"],
  SliceThickness: [0x00180050, "DS"],
  KVP: [0x00180060, "DS"],
  DeviceSerialNumber: [0x00181000, "LO"],
  SoftwareVersions: [0x00181020, "LO"],
  ProtocolName: [0x00181030, "LO"],
  GantryDetectorTilt: [0x00181120, "DS"],
  FilterType: [0x00181160, "SH"],
  ImagerPixelSpacing: [0x00181164, "DS"],
  ConvolutionKernel: [0x00181210, "SH"],
  PatientPosition: [0x00185100, "CS"],
  ViewPosition: [0x00185101, "CS"],
  StudyInstanceUID: [0x0020000d, "UI"],
  SeriesInstanceUID: [0x0020000e, "UI"],
  StudyID: [0x00200010, "SH"],
  SeriesNumber: [0x00200011, "IS"],
  AcquisitionNumber: [0x00200012, "IS"],
  InstanceNumber: [0x00200013, "IS"],
  ImagePositionPatient: [0x00200032, "DS"],
  ImageOrientationPatient: [0x00200037, "DS"],
  FrameOfReferenceUID: [0x00200052, "UI"],
  Laterality: [0x00200060, "CS"],
  TemporalPositionIdentifier: [0x00200100, "IS"],
  PositionReferenceIndicator: [0x00201040, "LO"],
  ImageComments: [0x00204000, "LT"],
  SamplesPerPixel: [0x00280002, "US"],
  PhotometricInterpretation: [0x00280004, "CS"],
  PlanarConfiguration: [0x00280006, "US"],
  NumberOfFrames: [0x00280008, "IS"],
  Rows: [0x00280010, "US"],
  Columns: [0x00280011, "US"],
  PixelSpacing: [0x00280030, "DS"],
  BitsAllocated: [0x00280100, "US"],
  BitsStored: [0x00280101, "US"],
  HighBit: [0x00280102, "US"],
  PixelRepresentation: [0x00280103, "US"],
  PixelPaddingValue: [0x00280120, "xs"],
  PixelPaddingRangeLimit: [0x00280121, "xs"],
  WindowCenter: [0x00281050, "DS"],
  WindowWidth: [0x00281051, "DS"],
  RescaleIntercept: [0x00281052, "DS"],
  RescaleSlope: [0x00281053, "DS"],
  RescaleType: [0x00281054, "LO"],
  VOILUTFunction: [0x00281056, "CS"],
  LUTDescriptor: [0x00283002, "xs"],
  LUTData: [0x00283006, "US"],
  // Sequences, and what enhanced images say of each frame: PS3.3, C.7.6.16.
  ModalityLUTSequence: [0x00283000, "SQ"],
  VOILUTSequence: [0x00283010, "SQ"],
  SharedFunctionalGroupsSequence: [0x52009229, "SQ"],
  PerFrameFunctionalGroupsSequence: [0x52009230, "SQ"],
  FrameContentSequence: [0x00209111, "SQ"],
  TemporalPositionIndex: [0x00209128, "UL"],
  PlanePositionSequence: [0x00209113, "SQ"],
  PlaneOrientationSequence: [0x00209116, "SQ"],
  PixelMeasuresSequence: [0x00289110, "SQ"],
  PixelValueTransformationSequence: [0x00289145, "SQ"],
} as const satisfies Record<string, readonly [tag: number, vr: string]>;

export type Keyword = keyof typeof dictionary;
/** Tag and VR by keyword. */
export const attributes: Readonly<Record<Keyword, readonly [tag: number, vr: string]>> = dictionary;

/** What series are told apart and chosen by, beyond their identity: kept of every instance as text. */
export const descriptiveKeywords = [
  "AcquisitionDate",
  "AcquisitionTime",
  "ContentTime",
  "PresentationIntentType",
  "ContrastBolusAgent",
  "ScanOptions",
  "SliceThickness",
  "KVP",
  "GantryDetectorTilt",
  "FilterType",
  "ConvolutionKernel",
  "ViewPosition",
  "TemporalPositionIdentifier",
  "ImageComments",
] as const satisfies readonly Keyword[];
export type DescriptiveKeyword = (typeof descriptiveKeywords)[number];

const tags = (...keywords: readonly Keyword[]) =>
  new Map(keywords.map((keyword) => [attributes[keyword][0], undefined] as const));
const sequences = (entries: Readonly<Partial<Record<Keyword, Wanted>>>) =>
  Object.entries(entries).map(([keyword, inside]) => [attributes[keyword as Keyword][0], inside] as const);

const lookupTable = tags("LUTDescriptor", "LUTData");
const functionalGroups: Wanted = new Map(
  sequences({
    FrameContentSequence: tags("TemporalPositionIndex"),
    PlanePositionSequence: tags("ImagePositionPatient"),
    PlaneOrientationSequence: tags("ImageOrientationPatient"),
    PixelMeasuresSequence: tags("PixelSpacing", "SliceThickness"),
    PixelValueTransformationSequence: tags("RescaleSlope", "RescaleIntercept", "RescaleType"),
  }),
);

/** All that is read of an instance's header. */
export const wanted: Wanted = new Map<number, Wanted | undefined>([
  ...tags(...(Object.keys(dictionary) as Keyword[])),
  ...tags(...(identityKeywords satisfies readonly IdentityKeyword[])),
  ...sequences({
    ModalityLUTSequence: lookupTable,
    VOILUTSequence: lookupTable,
    SharedFunctionalGroupsSequence: functionalGroups,
    PerFrameFunctionalGroupsSequence: functionalGroups,
  }),
]);
