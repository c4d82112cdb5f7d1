import type { Geometry } from "../volume/geometry.ts";

/** One series, put in order: whose it is, where its slices lie, and which instances they came from. Pixels are read apart. */
export type Scan = {
  /** (0008,0060): CT, CR, DX, MG … */
  readonly modality: string;
  readonly geometry: Geometry;
  /** Undefined for projections (CR, DX, MG): their geometry is that of the picture alone, not of the patient. */
  readonly frameOfReferenceUid: string | undefined;
  /** `slices[k]` is where slice k came from; in a resampled scan, the nearest source. */
  readonly slices: readonly SliceSource[];
  readonly identity: Identity;
  /** What had to be replaced, by attribute: missing or illegal UIDs. All else in a scan, `identity` included, has the new ones. */
  readonly remapped: readonly RemappedUid[];
  /** Slices were interpolated: they lie where no source does. */
  readonly resampled?: boolean;
  /** What a reader of the results should know: resampled, set aside, assumed. */
  readonly notes: readonly string[];
};

export type SliceSource = {
  /** A path, or an address, for messages. */
  readonly name: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** 1-based, of a multi-frame instance. */
  readonly frame?: number;
  readonly instanceNumber?: number;
  readonly sliceThicknessMm?: number;
};

export type RemappedUid = {
  readonly keyword: "StudyInstanceUID" | "SeriesInstanceUID" | "SOPInstanceUID" | "FrameOfReferenceUID";
  /** What stood there, "" where nothing did. */
  readonly old: string;
  readonly uid: string;
};

/** Attributes of patient, study and series that results repeat, by DICOM keyword; decoded text, absent where empty. */
export type Identity = Readonly<Partial<Record<IdentityKeyword, string>>> & {
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
};

export const identityKeywords = [
  "PatientName",
  "PatientID",
  "IssuerOfPatientID",
  "PatientBirthDate",
  "PatientSex",
  "PatientAge",
  "PatientSize",
  "PatientWeight",
  "StudyInstanceUID",
  "StudyDate",
  "StudyTime",
  "StudyID",
  "StudyDescription",
  "AccessionNumber",
  "ReferringPhysicianName",
  "SeriesInstanceUID",
  "SeriesNumber",
  "SeriesDescription",
  "SeriesDate",
  "SeriesTime",
  "BodyPartExamined",
  "Laterality",
  "PatientPosition",
  "ProtocolName",
  "Manufacturer",
  "ManufacturerModelName",
  "DeviceSerialNumber",
  "SoftwareVersions",
  "InstitutionName",
  "PositionReferenceIndicator",
] as const;
export type IdentityKeyword = (typeof identityKeywords)[number];
