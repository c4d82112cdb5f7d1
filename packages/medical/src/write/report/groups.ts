import { derivedUid } from "../../dicom/uids.ts";
import { type Code, codes, quantityOf } from "../codes.ts";
import { kinds, type ResultOf, resultUid, type WrittenInstance } from "../common.ts";
import type { Dataset } from "../part10.ts";
import type { SegmentationResult } from "../segmentation.ts";
import { coded, container, image, numeric, textItem, uidReference } from "./content-items.ts";
import { resultReference } from "./evidence.ts";
import type { Measurement, Site } from "./measurements.ts";
import { classTerm, isPredicted, terms, units } from "./terms.ts";

/** Measurement groups: TID 1501, and 1411 for the segment. Each says what it is of, and which algorithm says so. */

/** What a model says of one class. */
export type ClassPrediction = {
  readonly label: string;
  /** 0 to 1. */
  readonly probability: number;
  /** The model's answer; several where classes don't exclude each other. */
  readonly isPredicted: boolean;
  /** A standard's term for the class; without it, one of our own scheme. */
  readonly term?: Code;
};

type Group = {
  readonly trackingId: string;
  readonly trackingUid: string;
  readonly category?: Code;
  readonly finding: Code;
  readonly site?: Site;
};

const head = ({ provenance: p }: ResultOf, { trackingId, trackingUid, category, finding, site }: Group): Dataset[] => [
  textItem("HAS OBS CONTEXT", terms.trackingIdentifier, trackingId),
  uidReference("HAS OBS CONTEXT", terms.trackingUid, trackingUid),
  ...(category ? [coded("CONTAINS", terms.findingCategory, category)] : []),
  coded("CONTAINS", terms.finding, finding),
  ...(site ? [siteItem(site)] : []),
  // TID 4019
  textItem("HAS CONCEPT MOD", terms.algorithmName, `camkit ${p.method} of ${p.model.name}`),
  textItem(
    "HAS CONCEPT MOD",
    terms.algorithmVersion,
    `${p.camkitVersion}; model ${p.model.version ?? "without version"}`,
  ),
  ...parametersOf(p).map((text) => textItem("HAS CONCEPT MOD", terms.algorithmParameters, text)),
];

const siteItem = ({ structure, laterality }: Site): Dataset =>
  coded(
    "HAS CONCEPT MOD",
    terms.findingSite,
    structure,
    laterality ? [coded("HAS CONCEPT MOD", terms.laterality, laterality)] : [],
  );

const parametersOf = (p: ResultOf["provenance"]): string[] => [
  `model sha256: ${p.model.sha256}`,
  `layers: ${p.layers.join(", ")}`,
  `target: ${p.target}; score: ${p.score}`,
  `provider: ${p.provider}${p.seed === undefined ? "" : `; seed: ${p.seed}`}`,
  `preprocessing: ${p.preprocessing}`,
];

/** One class: how certain the model is, and whether that's its answer. */
export function predictionGroup(of: ResultOf, prediction: ClassPrediction): Dataset {
  const trackingId = `prediction: ${prediction.label}`;
  return container(
    terms.measurementGroup,
    [
      ...head(of, {
        trackingId,
        trackingUid: resultUid(of, kinds.report, trackingId),
        finding: prediction.term ?? classTerm(prediction.label),
      }),
      numeric(terms.certainty, 100 * prediction.probability, units.percent),
      coded("CONTAINS", isPredicted, prediction.isPredicted ? terms.yes : terms.no),
    ],
    "1501",
  );
}

/** The segment of what reaches the threshold: TID 1411. */
export const segmentGroup = (of: ResultOf, segment: SegmentationResult & { kind: "segmentation" }): Dataset =>
  container(
    terms.measurementGroup,
    [
      ...head(of, {
        trackingId: segment.trackingId,
        trackingUid: segment.trackingUid,
        category: codes.spatialConcept,
        finding: codes.selectedRegion,
      }),
      image(terms.referencedSegment, { ...resultReference(segment), ReferencedSegmentNumber: 1 }),
      uidReference("CONTAINS", terms.sourceSeries, of.scan.identity.SeriesInstanceUID),
      numeric(terms.volume, segment.volumeMl, units.millilitre),
    ],
    "1411",
  );

/** Numbers about the map, a group for each site. `map` is what they were measured in. */
export function mapGroups(
  of: ResultOf,
  measurements: readonly Measurement[],
  map: WrittenInstance | undefined,
): Dataset[] {
  const bySite = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    const label = measurement.site?.label ?? "whole scan";
    bySite.set(label, [...(bySite.get(label) ?? []), measurement]);
  }
  return [...bySite].map(([label, all]) => {
    const trackingId = `map of ${of.provenance.target}: ${label}`;
    const site = all[0]!.site;
    return container(
      terms.measurementGroup,
      [
        ...head(of, {
          trackingId,
          trackingUid: derivedUid(resultUid(of, kinds.report, "map"), label),
          finding: quantityOf(of.provenance.method),
          ...(site ? { site } : {}),
        }),
        ...all.map(({ quantity, derivation, value, unit }) =>
          numeric(quantity, value, unit, derivation ? [coded("HAS CONCEPT MOD", terms.derivation, derivation)] : []),
        ),
        ...(map ? [image(terms.sourceOfMeasurement, resultReference(map))] : []),
      ],
      "1501",
    );
  });
}
