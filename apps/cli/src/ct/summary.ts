import type { Stored } from "@camkit/medical";
import { probability } from "../format.ts";
import { table } from "../table.ts";
import type { CtDocument } from "./result.ts";

/** One scan in summary.csv. What isn't known is empty. */
export type Row = {
  readonly folder: string;
  readonly patientId: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly slices: number | null;
  readonly predicted: string;
  readonly explained: string;
  /** By class number; null where the model has none. */
  readonly probabilities: readonly (number | null)[];
  readonly scores: readonly (number | null)[];
  /** Slice, row and column from 0, and LPS mm, of the map's first greatest value. */
  readonly peakIndex: readonly number[];
  readonly peakMm: readonly number[];
  readonly energyInLungs: number | null;
  readonly deletion: number | null;
  readonly insertion: number | null;
  readonly stored: number | null;
  readonly notes: string;
  readonly error: string;
};

type Identity = Readonly<Record<string, string | undefined>>;

export function rowOf(folder: string, identity: Identity, document: CtDocument, stored: Stored | undefined): Row {
  const { scan, predictions, explained, map, faithfulness, notes } = document;
  const byClass = [...predictions].sort((a, b) => a.class - b.class);
  const [best] = predictions;
  return {
    folder,
    patientId: identity.PatientID ?? "",
    studyInstanceUid: scan.studyInstanceUid,
    seriesInstanceUid: scan.seriesInstanceUid,
    slices: scan.geometry.shape[0],
    predicted: best ? (best.label ?? `class ${best.class}`) : "",
    explained: explained.label,
    probabilities: byClass.map((one) => one.probability ?? null),
    scores: byClass.map(({ score }) => score),
    peakIndex: map.peak?.index ?? [],
    peakMm: map.peak?.positionMm ?? [],
    energyInLungs: finite(map.energyInLungs),
    deletion: finite(faithfulness?.deletion?.area),
    insertion: finite(faithfulness?.insertion?.area),
    stored: stored ? stored.stored.length + stored.present.length : null,
    notes: [...scan.notes, ...notes].join("; "),
    error: (stored?.refused ?? []).map(({ path, reason }) => `not stored: ${path}: ${reason}`).join("; "),
  };
}

/** Of a scan that came to nothing. UIDs are the files' own. */
export function failedRow(folder: string, identity: Identity, error: string): Row {
  return {
    folder,
    patientId: identity.PatientID ?? "",
    studyInstanceUid: identity.StudyInstanceUID ?? "",
    seriesInstanceUid: identity.SeriesInstanceUID ?? "",
    slices: null,
    predicted: "",
    explained: "",
    probabilities: [],
    scores: [],
    peakIndex: [],
    peakMm: [],
    energyInLungs: null,
    deletion: null,
    insertion: null,
    stored: null,
    notes: "",
    error,
  };
}

const finite = (value: number | null | undefined) => (Number.isFinite(value) ? value! : null);

type Column = readonly [title: string, value: (row: Row) => string | number | null | undefined];

function columns(labels: readonly string[]): Column[] {
  return [
    ["folder", (row) => row.folder],
    ["patient_id", (row) => row.patientId],
    ["study_instance_uid", (row) => row.studyInstanceUid],
    ["series_instance_uid", (row) => row.seriesInstanceUid],
    ["slices", (row) => row.slices],
    ["predicted", (row) => row.predicted],
    ["explained", (row) => row.explained],
    ...labels.map((label, i): Column => [`probability ${label}`, (row) => row.probabilities[i]]),
    ...labels.map((label, i): Column => [`score ${label}`, (row) => row.scores[i]]),
    ...["slice", "row", "column"].map((axis, i): Column => [`peak_${axis}`, (row) => row.peakIndex[i]]),
    ...["x", "y", "z"].map((axis, i): Column => [`peak_${axis}_mm`, (row) => row.peakMm[i]]),
    ["energy_in_lungs", (row) => row.energyInLungs],
    ["deletion", (row) => row.deletion],
    ["insertion", (row) => row.insertion],
    ["stored", (row) => row.stored],
    ["notes", (row) => row.notes],
    ["error", (row) => row.error],
  ];
}

/** RFC 4180, a row per scan. Peaks count from 0, as in result.json; millimetres are LPS. */
export function summaryCsv(rows: readonly Row[], labels: readonly string[]): string {
  const all = columns(labels);
  const lines = [all.map(([title]) => title), ...rows.map((row) => all.map(([, value]) => value(row) ?? ""))];
  return lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front: a patient's ID is whatever a file says. */
function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type Rest = {
  readonly out: string;
  readonly kept: number;
  readonly notDone: number;
  readonly others: readonly { readonly reason: string }[];
};

export function rowsText(rows: readonly Row[], { out, kept, notDone, others }: Rest): string {
  const best = ({ probabilities }: Row) => Math.max(...probabilities.map((p) => p ?? Number.NEGATIVE_INFINITY));
  return [
    table(
      [{ title: "folder" }, { title: "predicted" }, { title: "probability", align: "right" }, { title: "" }],
      rows.map((row) => [
        row.folder,
        row.predicted,
        Number.isFinite(best(row)) ? probability(best(row)) : "",
        row.error,
      ]),
    ),
    ...(others.length > 0 ? [`left out\n${others.map(({ reason }) => `  ${reason}`).join("\n")}`] : []),
    ...(kept > 0 ? [`kept from an earlier run: ${kept}`] : []),
    ...(notDone > 0 ? [`interrupted: ${notDone} not done; --resume goes on`] : []),
    `written to ${out}: a folder each, and summary.csv\nResearch use only: not a diagnosis.`,
  ].join("\n\n");
}
