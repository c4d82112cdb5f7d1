import { join } from "node:path";
import { type Explainer, ranOnText, ranOnWarnings } from "@camkit/cam-core";
import type { ErrorDocument } from "../errors.ts";
import { probability, significant } from "../format.ts";
import { table } from "../table.ts";
import { version } from "../version.ts";
import type { Entry, EntryExplanation } from "./entry.ts";
import type { Job } from "./job.ts";
import { jobProvenance, timeOf } from "./provenance.ts";
import { explainedName, verdictNote } from "./verdict.ts";

export type Failure = { readonly file: string; readonly error: ErrorDocument };

/** result.json of an explain run. */
export type ExplainDocument = ReturnType<typeof resultDocument>;

export function resultDocument(
  job: Job,
  explainer: Explainer,
  run: { entries: readonly Entry[]; failures: readonly Failure[]; interrupted: boolean; pending: number },
) {
  const pictures = run.entries.some((entry) => entry.kind === "picture");
  const preprocessing = pictures ? job.preprocessing() : undefined;
  const ranOn = explainer.ranOn();
  return {
    camkit: version,
    command: "explain",
    time: timeOf(),
    ...jobProvenance(job, explainer),
    ranOn,
    targets: job.targets.map((target) => target.text),
    preprocessing: preprocessing ?? null,
    map: "positive part, scaled to 0..1 per sample, at the input's resolution",
    inputs: run.entries,
    failures: run.failures,
    warnings: [
      ...jobWarnings(job, explainer, pictures),
      ...ranOnWarnings(ranOn),
      ...new Set(run.entries.flatMap(warningsOf)),
    ],
    interrupted: run.interrupted,
    ...(run.interrupted ? { notDone: run.pending } : {}),
    /** Everything this run wrote into the folder, result.json included. */
    files: [
      ...new Set(
        run.entries.flatMap((entry) =>
          entry.explanations.flatMap(({ files }) => [files.picture, files.map].filter((file) => file !== undefined)),
        ),
      ),
      "result.json",
    ],
  };
}

/** What holds for every input of a job: how the manifest was read, what speaks against the model, how pictures are prepared. */
export function jobWarnings(
  { model, preprocessing }: Job,
  { doubts }: Explainer,
  pictures: boolean,
): readonly string[] {
  return [...(model.manifestFrom?.notes ?? []), ...doubts, ...(pictures ? preprocessing().notes : [])];
}

/** A sample's warnings, each with the file and the target that it is about. */
export function warningsOf(entry: Entry): string[] {
  return entry.explanations.flatMap(({ target, label, warnings }) =>
    warnings.map((warning) => `${nameOf(entry)}, ${label ?? target}: ${warning}`),
  );
}

function nameOf({ file, sample }: Entry): string {
  return sample === undefined ? file : `${file} [${sample}]`;
}

/** What a person reads: the setting in one line, predictions of a single input, then a row per map. */
export function resultText(document: ExplainDocument, out: string): string {
  const { model, method, layers, ranOn, inputs } = document;
  const at = layers.length === 0 ? "the input" : layers.map((layer) => layer.tensor).join(", ");
  const parts = [`${model.name} · ${method.name} at ${at} · ${ranOnText(ranOn)}`];
  const [only, ...others] = inputs;
  if (only && others.length === 0) {
    parts.push((only.notes ?? []).map((note) => `  ${note}`).join("\n"));
    if (only.predictions.length > 0) parts.push(predictionTable(only));
  }
  const columns = [
    { title: "input" },
    { title: "explained" },
    { title: "score", align: "right" as const },
    { title: "peak at", align: "right" as const },
    { title: "written" },
  ];
  parts.push(
    table(
      columns,
      inputs.flatMap((entry) => entry.explanations.map((said) => row(entry, said, out))),
    ),
  );
  for (const { file, error } of document.failures) parts.push(`  failed: ${file}: ${error.message}`);
  parts.push(`  ${join(out, "result.json")}`);
  return parts.filter((part) => part !== "").join("\n\n");
}

function predictionTable({ predictions, verdict }: Entry): string {
  const probable = predictions.some((prediction) => prediction.probability !== undefined);
  const columns = [
    { title: "prediction" },
    ...(probable ? [{ title: "probability", align: "right" as const }] : []),
    { title: "score", align: "right" as const },
  ];
  const rows = table(
    columns,
    predictions.map(({ class: index, label, score, probability: p }) => [
      label ?? `class ${index}`,
      ...(probable ? [p === undefined ? "" : probability(p)] : []),
      significant(score),
    ]),
  );
  const note = verdict && verdictNote(verdict);
  return note ? `${rows}\n\n  ${note}` : rows;
}

function row(entry: Entry, said: EntryExplanation, out: string) {
  const { peak, files } = said;
  const place = peak && ("x" in peak ? `${peak.x}, ${peak.y}` : `[${peak.index.join(", ")}]`);
  const written = files.picture ?? files.map;
  return [
    nameOf(entry),
    explainedName(said, entry.verdict),
    said.probability === undefined ? significant(said.score) : probability(said.probability),
    place ?? "no peak",
    written ? join(out, written) : "",
  ];
}
