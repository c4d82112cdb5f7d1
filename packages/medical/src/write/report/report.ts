import { writeAtomic } from "@camkit/cam-core/data";
import { derivedUid } from "../../dicom/uids.ts";
import { commonModules, kinds, type ResultOf, resultUid, type WrittenInstance } from "../common.ts";
import { type Dataset, part10 } from "../part10.ts";
import { instanceReference } from "../references.ts";
import type { SegmentationResult } from "../segmentation.ts";
import { dateOf, timeOf } from "../text.ts";
import { coded, container, dicomTemplate, image, language, textItem, uidReference } from "./content-items.ts";
import { evidence, resultReference } from "./evidence.ts";
import { type ClassPrediction, mapGroups, predictionGroup, segmentGroup } from "./groups.ts";
import type { Measurement } from "./measurements.ts";
import { imaging, modalities, ownScheme, terms } from "./terms.ts";

const kind = kinds.report;

/** What a report says. */
export type ReportContent = {
  /** Of every class that the model tells apart, or of those worth telling. */
  readonly predictions: readonly ClassPrediction[];
  readonly measurements: readonly Measurement[];
  readonly parametricMap?: WrittenInstance;
  readonly segmentation?: SegmentationResult;
};

/**
 * What a model says of a scan as a Comprehensive 3D SR (PS3.3, A.35.13), TID 1500, in the shape that IHE's AI Results profile
 * asks for: predictions with their certainty, the segment and the map's numbers as measurement groups, each tracked by a UID and
 * with its algorithm (TID 4019), all of it referring to the source images, the Parametric Map and the Segmentation.
 * A preliminary result of a device, verified by nobody. Throws FileError.
 */
export async function writeReport(path: string, of: ResultOf, content: ReportContent): Promise<WrittenInstance> {
  const written = [content.parametricMap, segmentOf(content)].filter((result) => result !== undefined);
  const root = [
    ...context(of),
    container(terms.imageLibrary, [sourceGroup(of), ...resultGroup(written)], "1600"),
    container(terms.imagingMeasurements, groups(of, content)),
  ];
  // The same words have the same name, and only they.
  const seriesInstanceUid = resultUid(of, kind, "series", JSON.stringify(root));
  const sopInstanceUid = resultUid(of, kind, "instance", JSON.stringify(root));
  const { scan, provenance } = of;
  const dataset: Dataset = {
    ...commonModules(of, kind, seriesInstanceUid, sopInstanceUid),
    ...evidence(scan, written),
    BodyPartExamined: undefined, // reports have neither
    Laterality: undefined,
    ReferencedPerformedProcedureStepSequence: [],
    PerformedProcedureCodeSequence: [],
    CodingSchemeIdentificationSequence: [
      {
        CodingSchemeDesignator: ownScheme,
        CodingSchemeName: "camkit: classes of models",
        CodingSchemeResponsibleOrganization: "camkit",
      },
    ],
    InstanceNumber: "1",
    ContentDate: dateOf(provenance.time),
    ContentTime: timeOf(provenance.time),
    CompletionFlag: "COMPLETE",
    VerificationFlag: "UNVERIFIED",
    PreliminaryFlag: "PRELIMINARY",
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [terms.imagingMeasurementReport],
    ContinuityOfContent: "SEPARATE",
    ContentTemplateSequence: [dicomTemplate("1500")],
    ContentSequence: root,
  };
  await writeAtomic(path, part10(dataset));
  return { path, sopClassUid: kind.sopClassUid, sopInstanceUid, seriesInstanceUid };
}

const segmentOf = ({ segmentation }: ReportContent) =>
  segmentation?.kind === "segmentation" ? segmentation : undefined;

/** Language, who observes (TID 1004), and the procedure reported. */
function context({ scan, provenance: { model, camkitVersion } }: ResultOf): Dataset[] {
  return [
    coded("HAS CONCEPT MOD", terms.language, language),
    coded("HAS OBS CONTEXT", terms.observerType, terms.device),
    uidReference("HAS OBS CONTEXT", terms.deviceUid, derivedUid("camkit device", camkitVersion, model.sha256)),
    textItem("HAS OBS CONTEXT", terms.deviceName, "camkit, research use only"),
    textItem("HAS OBS CONTEXT", terms.deviceManufacturer, "camkit"),
    textItem("HAS OBS CONTEXT", terms.deviceModel, `camkit ${camkitVersion} with ${model.name} ${model.version ?? ""}`),
    textItem("HAS OBS CONTEXT", terms.deviceSerialNumber, model.sha256),
    coded("HAS CONCEPT MOD", terms.procedureReported, modalities[scan.modality]?.procedure ?? imaging),
  ];
}

/** The images that were read: TID 1601, what they share first. */
function sourceGroup({ scan }: ResultOf): Dataset {
  const modality = modalities[scan.modality]?.term;
  return container(terms.imageLibraryGroup, [
    ...(modality ? [coded("HAS ACQ CONTEXT", terms.modality, modality)] : []),
    ...(scan.frameOfReferenceUid === undefined
      ? []
      : [uidReference("HAS ACQ CONTEXT", terms.frameOfReferenceUid, scan.frameOfReferenceUid)]),
    ...scan.slices.map((slice) => image(undefined, instanceReference(slice))),
  ]);
}

const resultGroup = (written: readonly WrittenInstance[]): Dataset[] =>
  written.length === 0
    ? []
    : [
        container(
          terms.imageLibraryGroup,
          written.map((result) => image(undefined, resultReference(result))),
        ),
      ];

function groups(of: ResultOf, content: ReportContent): Dataset[] {
  const segment = segmentOf(content);
  return [
    ...content.predictions.map((prediction) => predictionGroup(of, prediction)),
    ...(segment ? [segmentGroup(of, segment)] : []),
    ...mapGroups(of, content.measurements, content.parametricMap),
  ];
}
