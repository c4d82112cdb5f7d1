import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  drawScene,
  loadModel,
  type Manifest,
  ManifestError,
  type ModelFile,
  manifestPath,
  writeAtomic,
} from "@camkit/cam-core";
import { readConfig } from "../config/read.ts";
import { scoresOf } from "./ask.ts";
import { area, side } from "./pictures.ts";

/** What a shipped model may take. */
const mostBytes = 3e6;

/** Seeds of drawn scenes: what the model says of them is kept beside it, since its data isn't. */
const seeds = [1, 2, 3, 4, 5, 6];

/** drawn.json: the model's scores on drawn scenes, so that a change in decoding, scaling or arithmetic is noticed. */
export type Drawn = { readonly seeds: readonly number[]; readonly logits: readonly number[] };

/**
 * Puts a run's model into the folder of a shipped one: model.onnx, drawn.json and model.camkit.json. In the manifest, what was
 * measured is the run's, and what is said of the model is its configuration's, train.yaml in that folder, as it is worded now.
 * Throws ManifestError for a model that is too large or that lacks what a shipped one states.
 */
export async function ship(run: string, folder: string): Promise<void> {
  const from = join(run, "model.onnx");
  const model = await loadModel(from);
  const { size } = await stat(from);
  const problem = problemOf(model, size);
  if (problem) throw new ManifestError(manifestPath(from), problem);
  const { manifest: said } = (await readConfig(join(folder, "train.yaml"))).config;
  await copyFile(from, join(folder, "model.onnx"));
  await writeJson(join(folder, "model.camkit.json"), { ...model.manifest, ...said });
  await writeJson(join(folder, "drawn.json"), { seeds, logits: await drawnScores(model, seeds) } satisfies Drawn);
}

function problemOf(model: ModelFile, size: number): string | undefined {
  const { sha256, calibration, results = {} } = model.manifest ?? ({} as Partial<Manifest>);
  if (size > mostBytes) return `the model has ${size} bytes; a shipped one has ${mostBytes} at most`;
  if (sha256 !== model.sha256()) return "sha256: is about another file";
  const missing = ["test/accuracy", "test without copies/accuracy"].find((name) => results[name] === undefined);
  if (missing) return `results: nothing is called "${missing}"`;
  return calibration?.answerAbove === undefined ? "calibration: doesn't say when the model can't say" : undefined;
}

/** What a model says of drawn scenes, reduced to its size. */
export async function drawnScores(model: ModelFile, drawn: readonly number[]): Promise<number[]> {
  const pixels = new Uint8Array(drawn.length * area * 3);
  for (const [i, seed] of drawn.entries()) pixels.set(drawScene(seed, { size: side }).image, i * area * 3);
  return Array.from(await scoresOf(model, pixels, { threads: 1 }));
}

async function writeJson(file: string, content: object): Promise<void> {
  await writeAtomic(file, `${JSON.stringify(content, null, 2)}\n`);
}
