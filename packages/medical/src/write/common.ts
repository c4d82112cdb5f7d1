import type { IdentityKeyword, Scan } from "../dicom/scan.ts";
import { derivedUid } from "../dicom/uids.ts";
import type { Provenance } from "../provenance.ts";
import { codes } from "./codes.ts";
import type { Dataset } from "./part10.ts";
import { dateOf, dateTimeOf, legal, longString, longText, shortText, timeOf } from "./text.ts";

/** One of the objects that a run writes. */
export type ResultKind = {
  /** Goes into UIDs: never changed once files exist. */
  readonly name: string;
  readonly sopClassUid: string;
  /** Of the series; undefined: that of the source. */
  readonly modality: string | undefined;
  /** What the series is, before the method and the target. */
  readonly title: string;
  /** Last two digits of the series number. */
  readonly number: number;
};

export const kinds = {
  parametricMap: {
    name: "parametric-map",
    sopClassUid: "1.2.840.10008.5.1.4.1.1.30",
    modality: undefined,
    title: "Map",
    number: 91,
  },
  segmentation: {
    name: "segmentation",
    sopClassUid: "1.2.840.10008.5.1.4.1.1.66.4",
    modality: "SEG",
    title: "Map above threshold",
    number: 92,
  },
  secondaryCapture: {
    name: "secondary-capture",
    sopClassUid: "1.2.840.10008.5.1.4.1.1.7",
    modality: "OT", // coloured pictures in a CT series would be stacked with CT
    title: "Picture",
    number: 93,
  },
  report: {
    name: "report",
    sopClassUid: "1.2.840.10008.5.1.4.1.1.88.34",
    modality: "SR",
    title: "Report",
    number: 94,
  },
} as const satisfies Record<string, ResultKind>;

/** What every result begins with: the scan it is of, and how it came about. */
export type ResultOf = { readonly scan: Scan; readonly provenance: Provenance };

/** A DICOM file that was written. */
export type WrittenInstance = {
  readonly path: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
};

/**
 * A UID that follows from everything that makes a result what it is, and from nothing else: a run that is repeated writes the
 * same names, another model, target or setting writes others. The time isn't part of it.
 */
export function resultUid({ scan, provenance: p }: ResultOf, kind: ResultKind, ...parts: readonly string[]): string {
  return derivedUid(
    "camkit result",
    kind.name,
    scan.identity.StudyInstanceUID,
    scan.identity.SeriesInstanceUID,
    ...scan.slices.map(({ sopInstanceUid, frame }) => `${sopInstanceUid}#${frame ?? ""}`),
    JSON.stringify(scan.geometry),
    p.camkitVersion,
    p.model.sha256,
    p.method,
    p.layers.join(),
    p.target,
    p.preprocessing,
    p.provider,
    String(p.seed),
    ...parts,
  );
}

/** How a source's attributes go on: "" where type 2 wants the attribute without a value, left out where it is type 3. */
const patientAndStudy: readonly (readonly [IdentityKeyword, keyof typeof legal, 2 | 3])[] = [
  ["PatientName", "PN", 2],
  ["PatientID", "LO", 2],
  ["IssuerOfPatientID", "LO", 3],
  ["PatientBirthDate", "DA", 2],
  ["PatientSex", "sex", 2],
  ["PatientAge", "AS", 3],
  ["PatientSize", "DS", 3],
  ["PatientWeight", "DS", 3],
  ["StudyInstanceUID", "UI", 2],
  ["StudyDate", "DA", 2],
  ["StudyTime", "TM", 2],
  ["StudyID", "SH", 2],
  ["StudyDescription", "LO", 3],
  ["AccessionNumber", "SH", 2],
  ["ReferringPhysicianName", "PN", 2],
];

function copied({ identity }: Scan, table: typeof patientAndStudy): Dataset {
  return Object.fromEntries(
    table.map(([keyword, vr, type]) => {
      const value = identity[keyword];
      return [keyword, (value === undefined ? undefined : legal[vr](value)) ?? (type === 2 ? "" : undefined)];
    }),
  );
}

/** Patient, study, series, equipment and SOP common modules of a result: PS3.3, C.7.1 to C.7.5 and C.12.1. */
export function commonModules(of: ResultOf, kind: ResultKind, seriesUid: string, instanceUid: string): Dataset {
  const { scan, provenance } = of;
  const bodyPart = legal.CS(scan.identity.BodyPartExamined ?? "");
  return {
    SOPClassUID: kind.sopClassUid,
    SOPInstanceUID: instanceUid,
    InstanceCreationDate: dateOf(provenance.time),
    InstanceCreationTime: timeOf(provenance.time),
    ...copied(scan, patientAndStudy),
    Modality: kind.modality ?? legal.CS(scan.modality) ?? "OT",
    SeriesInstanceUID: seriesUid,
    SeriesNumber: String(seriesNumber(scan, kind)),
    SeriesDate: dateOf(provenance.time),
    SeriesTime: timeOf(provenance.time),
    SeriesDescription: longString(`RESEARCH USE ONLY: ${kind.title}, ${provenance.method}, ${provenance.target}`),
    BodyPartExamined: bodyPart,
    Laterality: lateralityOf(scan),
    ...equipment(provenance),
    ContributingEquipmentSequence: contributingEquipment(of),
  };
}

/**
 * Type 2C: of one of two paired parts, if without a value where the source has none. What isn't known to be unpaired may be one
 * of two; of an unpaired one it may not be there, whatever the source says.
 */
function lateralityOf({ identity }: Scan): string | undefined {
  if (unpairedParts.has(identity.BodyPartExamined ?? "")) return undefined;
  return identity.Laterality === "L" || identity.Laterality === "R" ? identity.Laterality : "";
}

/** Defined terms of PS3.16, annex L, of which a patient has one. */
const unpairedParts: ReadonlySet<string> = new Set(
  (
    "ABDOMEN ABDOMENPELVIS AORTA BLADDER BRAIN CHEST CHESTABDOMEN CHESTABDPELVIS COCCYX COLON CSPINE HEAD HEADNECK HEART JAW LIVER " +
    "LSPINE MEDIASTINUM NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV PANCREAS PELVIS SKULL SPINE STERNUM STOMACH TSPINE " +
    "WHOLEBODY"
  ).split(" "),
);

/** The source's number and two digits more: results stand beside the series they belong to. */
function seriesNumber(scan: Scan, kind: ResultKind): number {
  const source = Number(scan.identity.SeriesNumber ?? 0);
  return Number.isInteger(source) && source > 0 && source < 10_000_000
    ? source * 100 + kind.number
    : 9000 + kind.number;
}

/** (Enhanced) general equipment: PS3.3, C.7.5. The serial number, which must be there, is what tells one model from another. */
function equipment({ camkitVersion, model }: Provenance): Dataset {
  return {
    Manufacturer: "camkit",
    ManufacturerModelName: longString(`camkit with ${model.name}`),
    DeviceSerialNumber: model.sha256,
    SoftwareVersions: [longString(camkitVersion), longString(`${model.name} ${model.version ?? ""}`)],
  };
}

/** What made the scan, and what made the result of it: PS3.3, C.12.1.1.5. */
function contributingEquipment({ scan: { identity }, provenance }: ResultOf): Dataset[] {
  const scanner = {
    PurposeOfReferenceCodeSequence: [codes.acquisitionEquipment],
    // Required, and not every source has it.
    Manufacturer: legal.LO(identity.Manufacturer ?? "") ?? "unknown",
    InstitutionName: legal.LO(identity.InstitutionName ?? ""),
    ManufacturerModelName: legal.LO(identity.ManufacturerModelName ?? ""),
    DeviceSerialNumber: legal.LO(identity.DeviceSerialNumber ?? ""),
    SoftwareVersions: identity.SoftwareVersions?.split("\\").map(longString).filter(Boolean),
    ContributionDescription: "Acquisition of the source images",
  };
  return [
    withoutUndefined(scanner),
    {
      PurposeOfReferenceCodeSequence: [codes.processingEquipment],
      ...equipment(provenance),
      ContributionDateTime: dateTimeOf(provenance.time),
      ContributionDescription: shortText(`Research use only. ${provenanceText(provenance)}`),
    },
  ];
}

/** How a result came about, on one line. */
export const provenanceText = (provenance: Provenance): string =>
  longText(
    provenanceFacts(provenance)
      .map(([name, value]) => `${name}: ${value}`)
      .join("; "),
  );

/** How a result came about: names and values, without what isn't known. */
export function provenanceFacts(p: Provenance): (readonly [name: string, value: string | number])[] {
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ["camkit", p.camkitVersion],
    ["model", `${p.model.name} ${p.model.version ?? ""}`.trim()],
    ["sha256", p.model.sha256],
    ["method", p.method],
    ["layers", p.layers.join(", ")],
    ["target", p.target],
    ["score", p.score],
    ["probability", p.probability],
    ["provider", p.provider],
    ["seed", p.seed],
    ["time", p.time.toISOString()],
    ["limits", p.model.limits?.[0]],
    ["preprocessing", p.preprocessing], // last: the longest, where text has to be cut
  ];
  return facts.filter((fact): fact is readonly [string, string | number] => fact[1] !== undefined && fact[1] !== "");
}

export function withoutUndefined(dataset: Dataset): Dataset {
  return Object.fromEntries(Object.entries(dataset).filter(([, value]) => value !== undefined));
}
