import { sha256Hex } from "@camkit/cam-core/data";
import { type Code, code } from "../codes.ts";
import { longString } from "../text.ts";

/** Terms of PS3.16 that reports use: TID 1500, 1501, 1411, 1600, 4019, 1004. */
export const terms = {
  imagingMeasurementReport: code("126000", "DCM", "Imaging Measurement Report"),
  language: code("121049", "DCM", "Language of Content Item and Descendants"),
  observerType: code("121005", "DCM", "Observer Type"),
  device: code("121007", "DCM", "Device"),
  deviceUid: code("121012", "DCM", "Device Observer UID"),
  deviceName: code("121013", "DCM", "Device Observer Name"),
  deviceManufacturer: code("121014", "DCM", "Device Observer Manufacturer"),
  deviceModel: code("121015", "DCM", "Device Observer Model Name"),
  deviceSerialNumber: code("121016", "DCM", "Device Observer Serial Number"),
  procedureReported: code("121058", "DCM", "Procedure reported"),
  imageLibrary: code("111028", "DCM", "Image Library"),
  imageLibraryGroup: code("126200", "DCM", "Image Library Group"),
  modality: code("121139", "DCM", "Modality"),
  frameOfReferenceUid: code("112227", "DCM", "Frame of Reference UID"),
  imagingMeasurements: code("126010", "DCM", "Imaging Measurements"),
  measurementGroup: code("125007", "DCM", "Measurement Group"),
  trackingIdentifier: code("112039", "DCM", "Tracking Identifier"),
  trackingUid: code("112040", "DCM", "Tracking Unique Identifier"),
  findingCategory: code("276214006", "SCT", "Finding category"),
  finding: code("121071", "DCM", "Finding"),
  findingSite: code("363698007", "SCT", "Finding Site"),
  laterality: code("272741003", "SCT", "Laterality"),
  algorithmName: code("111001", "DCM", "Algorithm Name"),
  algorithmVersion: code("111003", "DCM", "Algorithm Version"),
  algorithmParameters: code("111002", "DCM", "Algorithm Parameters"),
  certainty: code("111012", "DCM", "Certainty of Finding"),
  derivation: code("121401", "DCM", "Derivation"),
  mean: code("373098007", "SCT", "Mean"),
  maximum: code("56851009", "SCT", "Maximum"),
  volume: code("118565006", "SCT", "Volume"),
  referencedSegment: code("121191", "DCM", "Referenced Segment"),
  sourceSeries: code("121232", "DCM", "Source series for segmentation"),
  sourceOfMeasurement: code("121112", "DCM", "Source of Measurement"),
  yes: code("373066001", "SCT", "Yes"),
  no: code("373067005", "SCT", "No"),
} as const;

export const units = {
  none: code("1", "UCUM", "no units"),
  percent: code("%", "UCUM", "Percent"),
  millilitre: code("ml", "UCUM", "Milliliter"),
} as const;

/** Modalities as terms, CID 29, and the procedures that make them; other modalities are left out, and are imaging. */
export const modalities: Readonly<Record<string, { readonly term: Code; readonly procedure: Code }>> = {
  CT: { term: code("CT", "DCM", "Computed Tomography"), procedure: code("77477000", "SCT", "Computed tomography") },
  MR: {
    term: code("MR", "DCM", "Magnetic Resonance"),
    procedure: code("113091000", "SCT", "Magnetic resonance imaging"),
  },
  CR: { term: code("CR", "DCM", "Computed Radiography"), procedure: code("168537006", "SCT", "Plain radiography") },
  DX: { term: code("DX", "DCM", "Digital Radiography"), procedure: code("168537006", "SCT", "Plain radiography") },
  MG: { term: code("MG", "DCM", "Mammography"), procedure: code("71651007", "SCT", "Mammography") },
};
export const imaging = code("363679005", "SCT", "Imaging procedure");

/** Designator of terms that no standard has: those of models' classes, and two of ours. */
export const ownScheme = "99CAMKIT";

/** A model's class as a term of our own scheme: its label, or a name for it where that is too long for a code. */
export const classTerm = (label: string): Code =>
  code(
    /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(label) ? label : sha256Hex(label).slice(0, 16),
    ownScheme,
    longString(label),
  );

export const isPredicted = code("predicted", ownScheme, "Predicted by the model");
export const shareOfMap = code("share-of-map", ownScheme, "Share of the map's sum that lies here");
export const volumeAtThreshold = code("volume-above", ownScheme, "Volume where the map reaches the threshold");
