import { relative } from "node:path";
import { ranOnText } from "@camkit/cam-core";
import type { ExplainedScan, Stored, WrittenOutputs } from "@camkit/medical";
import { milliseconds, probability, significant } from "../format.ts";
import { table } from "../table.ts";
import { version } from "../version.ts";

/** result.json of one scan, written to `out`: everything that the pictures show, as numbers. docs/results.md says what each means. */
export function ctDocument(
  explained: ExplainedScan,
  written: WrittenOutputs,
  { source, out }: { readonly source: Record<string, unknown>; readonly out: string },
) {
  const { scan, provenance, predictions, calibration, statistics, faithfulness, structures, stages } = explained;
  const { deletion, insertion, randomisation, baseline } = faithfulness ?? {};
  const walk = (measured: typeof deletion) =>
    measured && {
      area: measured.value,
      randomArea: measured.random?.area ?? null,
      quantity: measured.quantity,
      fractions: measured.curve.fractions,
      scores: measured.curve.scores,
    };
  return {
    camkit: version,
    command: "ct",
    formatVersion: 1,
    state: "finished",
    researchUseOnly: true,
    time: provenance.time.toISOString(),
    source,
    scan: {
      modality: scan.modality,
      studyInstanceUid: scan.identity.StudyInstanceUID,
      seriesInstanceUid: scan.identity.SeriesInstanceUID,
      frameOfReferenceUid: scan.frameOfReferenceUid ?? null,
      geometry: scan.geometry,
      remappedUids: scan.remapped,
      notes: scan.notes,
    },
    model: provenance.model,
    method: provenance.method,
    layers: provenance.layers,
    preprocessing: provenance.preprocessing,
    /** The scan's slices, from 0, that the network saw. */
    seenSlices: explained.seenSlices ?? null,
    provider: provenance.provider,
    ranOn: explained.ranOn,
    explained: {
      class: explained.classIndex,
      label: provenance.target,
      score: provenance.score,
      ...(provenance.probability === undefined ? {} : { probability: provenance.probability }),
    },
    predictions,
    ...(calibration ? { calibration } : {}),
    ...(structures.length > 0 ? { structures } : {}),
    map: {
      scale: "positive part, 0 to 1 over the volume, on the scan's own grid",
      /** Of a map that is 0 everywhere there is none. */
      peak: statistics.peak.value > 0 ? statistics.peak : null,
      energyInLungs: statistics.energyInLungs ?? null,
      threshold: statistics.threshold,
      regions: statistics.regions,
      massPerSlice: statistics.massPerSlice,
    },
    ...(faithfulness
      ? {
          faithfulness: {
            baseline,
            ...(deletion ? { deletion: walk(deletion) } : {}),
            ...(insertion ? { insertion: walk(insertion) } : {}),
            ...(randomisation
              ? { randomisation: { rankCorrelation: randomisation.value, stages: randomisation.stages } }
              : {}),
          },
        }
      : {}),
    notes: [...(explained.notes ?? []), ...written.notes],
    stages,
    files: [...written.files, { name: "result.json", what: "these numbers" }],
    dicom: written.dicom.map(({ path, sopClassUid, sopInstanceUid, seriesInstanceUid }) => ({
      file: relative(out, path).replaceAll("\\", "/"),
      sopClassUid,
      sopInstanceUid,
      seriesInstanceUid,
    })),
  };
}

export type CtDocument = ReturnType<typeof ctDocument>;

/** What a person reads. */
export function ctText(document: CtDocument, out: string, stored?: Stored): string {
  const { scan, model, method, layers, ranOn, explained, map, faithfulness, stages } = document;
  const { shape, spacingMm } = scan.geometry;
  const grid = `${shape.join(" x ")} voxels of ${spacingMm.map((mm) => Number(mm.toFixed(3))).join(" x ")} mm`;
  const energy =
    map.energyInLungs === null || map.peak === null
      ? undefined
      : `${(100 * map.energyInLungs).toFixed(0)} % of it in the lungs`;
  const [k, r, c] = map.peak?.index.map((index) => index + 1) ?? [];
  const place = `map of ${explained.label}: ${map.peak ? `highest in slice ${k}, row ${r}, column ${c}` : "0 everywhere"}`;
  const walked = (["deletion", "insertion"] as const).flatMap((name) => {
    const found = faithfulness?.[name];
    return found ? [`${name} ${number(found.area)} (random ${number(found.randomArea)})`] : [];
  });
  const randomised = faithfulness?.randomisation;
  return [
    `${scan.modality} ${scan.seriesInstanceUid}: ${grid}\n${model.name} ${model.version ?? ""} · ${method} at ${layers.join(", ")} · ${ranOnText(ranOn)}`,
    predictionTable(document),
    [
      [place, energy].filter(Boolean).join("; "),
      ...(walked.length > 0 ? [`faithfulness: ${walked.join(", ")}`] : []),
      ...(randomised
        ? [`with all weights drawn anew the map's rank correlation is ${number(randomised.rankCorrelation)}`]
        : []),
    ].join("\n"),
    ...(model.limits ? [`limits of ${model.name}\n${model.limits.map((limit) => `  ${limit}`).join("\n")}`] : []),
    ...(document.notes.length > 0 || scan.notes.length > 0
      ? [`notes\n${[...scan.notes, ...document.notes].map((note) => `  ${note}`).join("\n")}`]
      : []),
    `written to ${out}\n${table(
      [{ title: "" }, { title: "" }],
      document.files.map(({ name, what }) => [name, what]),
    )}`,
    ...(stored ? [storedText(stored)] : []),
    `${stages.map(({ name, ms }) => `${name} ${milliseconds(ms)}`).join(" · ")}\nResearch use only: not a diagnosis.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What couldn't be measured has no value. */
const number = (value: number | null) => (value === null || Number.isNaN(value) ? "–" : significant(value));

function predictionTable({ predictions, structures }: CtDocument): string {
  if (structures)
    return table(
      [{ title: "segmented" }, { title: "volume", align: "right" }],
      structures.map(({ class: index, label, volumeMl }) => [label ?? `class ${index}`, `${significant(volumeMl)} ml`]),
    );
  return table(
    [{ title: "class" }, { title: "probability", align: "right" }, { title: "score", align: "right" }],
    predictions.map(({ class: index, label, probability: p, score }) => [
      label ?? `class ${index}`,
      p === undefined ? "" : probability(p),
      significant(score, 4),
    ]),
  );
}

export function storedText({ stored, present, refused, warnings }: Stored): string {
  return [
    `stored ${stored.length}${present.length > 0 ? `, ${present.length} were there before` : ""}`,
    ...refused.map(({ path, reason }) => `  refused: ${path}: ${reason}`),
    ...warnings.map(({ path, reason }) => `  stored with a warning: ${path}: ${reason}`),
  ].join("\n");
}
