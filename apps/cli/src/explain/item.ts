import { join } from "node:path";
import {
  type DecodedPicture,
  decodePicture,
  type Explainer,
  type ExplainResult,
  type Explanation,
  encodeNpy,
  InputError,
  type Placement,
  type Prediction,
  pixelInput,
  predictionsOf,
  preparePicture,
  type Tensor,
  toPicture,
  writeAtomic,
} from "@camkit/cam-core";
import { type Item, readFeeds } from "../inputs.ts";
import { emptiness, mapFacts, sampleOf } from "./diagnose.ts";
import type { Entry, EntryExplanation } from "./entry.ts";
import type { Job } from "./job.ts";
import { pictureName, type RawTarget, sampleSuffix } from "./names.ts";
import { paint } from "./paint.ts";
import { calibrationOf, type Verdict, verdictOf } from "./verdict.ts";

type Fed = {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly picture?: DecodedPicture;
  readonly placement?: Placement;
};

/** Explains one item and writes its files: per target the picture and the map, and raw maps where asked for. */
export async function explainItem(
  job: Job,
  item: Item,
  shared: Readonly<Record<string, string>>,
  raw: RawTarget | undefined,
): Promise<Entry[]> {
  const explainer = await job.explainer(item.kind);
  const fed = await feed(job, item, shared);
  const result = await explainer.run(fed.feeds);
  const n = result.logits.shape[0] ?? 1;
  const maps = await writeMaps(job, item, explainer, result, raw);
  const activation = job.activation(explainer);
  const { classAxis } = explainer;
  const calibration = calibrationOf(job.model, job.output, activation, result.logits.shape[classAxis] ?? 1);
  const entries: Entry[] = [];
  for (let sample = 0; sample < n; sample++) {
    const { labels } = job.model;
    const predictions = predictionsOf(result.logits, classAxis, sample, activation, labels, calibration?.temperature);
    const verdict = verdictOf(predictions, calibration?.answerAbove);
    const explanations: EntryExplanation[] = [];
    for (const [t, explanation] of result.explanations.entries())
      explanations.push(
        await describe(job, item, { explainer, fed, explanation, predictions, verdict, sample, n, t }, maps[t]!),
      );
    entries.push({
      ...about(job, item, fed, sample, n),
      predictions: predictions.slice(0, job.request.top),
      ...(verdict ? { verdict } : {}),
      explanations,
    });
  }
  return entries;
}

async function feed(job: Job, item: Item, shared: Readonly<Record<string, string>>): Promise<Fed> {
  if (item.kind === "tensor") {
    const feeds = await readFeeds(item, shared, job.input);
    for (const [name, tensor] of Object.entries(feeds)) checkFinite(name, tensor);
    return { feeds };
  }
  const picture = await decodePicture(item.file, item.file);
  const { tensor, placement } = preparePicture(picture, job.preprocessing().input);
  return { feeds: { ...(await readFeeds(item, shared, job.input)), [pixelInput]: tensor }, picture, placement };
}

/** A NaN in the input makes every score NaN, and a winner of them means nothing. */
function checkFinite(name: string, { data }: Tensor): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  const bad = data.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0)
    throw new InputError(`input "${name}" holds ${data[bad]} at element ${bad}`, {
      hint: "Replace what isn't a number before explaining.",
    });
}

function about(job: Job, item: Item, { feeds, picture, placement }: Fed, sample: number, n: number) {
  const fed = Object.entries(feeds).map(([name, { dtype, shape }]) => [name, { dtype, shape }]);
  return {
    file: item.file,
    kind: item.kind,
    ...(n > 1 ? { sample } : {}),
    ...(picture ? { size: { width: picture.width, height: picture.height }, notes: notesOf(job, picture) } : {}),
    ...(placement ? { placement } : { fed: Object.fromEntries(fed) }),
  };
}

/** What was done to read a picture, and how little of a large one is left for the model. */
function notesOf(job: Job, { notes, width, height }: DecodedPicture): string[] {
  const [rows, columns] = job.preprocessing().input.size as [number, number];
  const seen = `${width} × ${height} pixels, seen by the model at ${columns} × ${rows}`;
  return [...notes, ...(width > columns || height > rows ? [seen] : [])];
}

type MapFiles = EntryExplanation["files"];

/** The finished and the raw maps of all samples, one file per target (and layer). */
async function writeMaps(
  job: Job,
  item: Item,
  explainer: Explainer,
  result: ExplainResult,
  raw: RawTarget | undefined,
): Promise<MapFiles[]> {
  const files: MapFiles[] = [];
  for (const [t, { map, raw: rawMaps }] of result.explanations.entries()) {
    const named = job.targets[t]!;
    const name = `${pictureName(item, explainer.method.name, named.slug)}.npy`;
    if (map) await writeAtomic(join(job.request.out, name), encodeNpy(map));
    const rawPaths = raw ? rawMaps.map((_, l) => raw.path(item, named, l)) : [];
    for (const [l, path] of rawPaths.entries()) await writeAtomic(path, encodeNpy(rawMaps[l]!));
    files.push({ ...(map ? { map: name } : {}), ...(raw ? { raw: rawPaths } : {}) });
  }
  return files;
}

type Subject = {
  readonly explainer: Explainer;
  readonly fed: Fed;
  readonly explanation: Explanation;
  readonly predictions: readonly Prediction[];
  readonly verdict: Verdict | undefined;
  readonly sample: number;
  readonly n: number;
  readonly t: number;
};

/** What is said about one sample's map, and its picture painted unless the map is empty. */
async function describe(job: Job, item: Item, subject: Subject, files: MapFiles): Promise<EntryExplanation> {
  const { explainer, fed, explanation, predictions, verdict, sample, n, t } = subject;
  const facts = explanation.raw.map((map) => mapFacts(map, sample));
  const layers = explainer.layers.length > 0 ? explainer.layers.map((layer) => layer.value) : [job.input];
  const reasons = facts.map((fact) => emptiness(fact));
  const empty = reasons.every((reason) => reason !== undefined);
  // A constant positive map, or one of NaN, isn't a matter of missing evidence.
  const unfounded = facts.every((fact) => fact.finite && fact.max <= 0);
  const cause = empty && unfounded && n === 1 ? await explainer.diagnose(fed.feeds, explanation.target) : undefined;
  const warnings = reasons.flatMap((reason, l) =>
    reason
      ? [
          layers.length > 1
            ? `at ${layers[l]}: ${reason}`
            : cause
              ? `${reason}. Likely cause: ${cause.reason}. ${cause.hint}`
              : reason,
        ]
      : [],
  );
  const { target } = explanation;
  const isClass = target.kind === "auto" || target.kind === "class";
  const index = isClass ? explanation.classes?.[sample] : undefined;
  const predicted = predictions.find((prediction) => prediction.class === index);
  const label = index === undefined ? undefined : job.model.labels[index];
  const said: EntryExplanation = {
    target: job.targets[t]!.text,
    ...(index === undefined ? {} : { class: index }),
    ...(label === undefined ? {} : { label }),
    score: explanation.scores[sample]!,
    ...(predicted?.probability === undefined ? {} : { probability: predicted.probability }),
    raw: facts.map(({ min, max }, l) => ({ layer: layers[l]!, min, max })),
    files,
    warnings,
  };
  const { map } = explanation;
  if (empty || !map) return said;
  const peak = peakOf(map, sample, fed);
  if (map.shape.length !== 3)
    return {
      ...said,
      peak,
      warnings: [...warnings, `a map of ${map.shape.length - 1} axes isn't drawn: see the .npy file`],
    };
  const stem = `${pictureName(item, explainer.method.name, job.targets[t]!.slug)}${sampleSuffix(sample, n)}`;
  const drawn = { dtype: "float32", shape: map.shape.slice(1), data: sampleOf(map, sample) } as const;
  const picture = await paint(job, explainer, { ...said, peak }, verdict, drawn, fed, stem);
  return { ...said, peak, files: { picture, ...files } };
}

/** The first place where the finished map has its highest value. */
function peakOf(map: Tensor, sample: number, { picture, placement }: Fed): NonNullable<EntryExplanation["peak"]> {
  const values = sampleOf(map, sample);
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  const space = map.shape.slice(1);
  const index: number[] = [];
  for (let rest = best, axis = space.length - 1; axis >= 0; axis--) {
    index.unshift(rest % space[axis]!);
    rest = Math.floor(rest / space[axis]!);
  }
  if (!picture || !placement) return { index };
  const [row, column] = index as [number, number];
  const model = { width: space[1]!, height: space[0]! };
  const [x, y] = toPicture(placement, model, [column + 0.5, row + 0.5]);
  return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
}
