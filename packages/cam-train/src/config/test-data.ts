import { readdirSync } from "node:fs";
import type { InputManifest, ModelFile } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { openDataset } from "../data/open.ts";
import type { DataSpec } from "../data/spec.ts";
import { DataError } from "../errors.ts";
import { inEachClass } from "./judge.ts";

/** A classifier's answers, as data must be labelled for it. */
export type Answers = {
  /** In the order of the outputs. Undefined for a network that answers with values. */
  readonly classes: readonly string[] | undefined;
  /** Whether it decides every class for itself. */
  readonly eachAlone: boolean;
};

/** What the model's answers mean, by its manifest or by `classes`. One logit between two classes decides for both. */
export function answersOf({ graph, manifest, labels }: ModelFile, classes?: readonly string[]): Answers {
  const { name = graph.outputs[0]!.name, activation } = manifest?.output ?? {};
  const width = graph.outputs.find((output) => output.name === name)?.shape?.[1];
  return {
    classes: classes ?? (labels.length > 0 ? labels : undefined),
    eachAlone: activation === "sigmoid" && width !== 1,
  };
}

/**
 * Data for a model: labels become the model's class numbers by name, in whatever order the data has them. A part of the classes
 * is enough. Throws DataError for a name that the model doesn't know, and what opening data throws.
 */
export async function openTestData(
  spec: DataSpec,
  answers: Answers,
  input: InputManifest | undefined,
): Promise<Dataset> {
  const { classes, eachAlone } = answers;
  const options = input ? { input } : {};
  const wantsClasses = spec.kind !== "module" && !(spec.kind === "list" && spec.targets !== undefined);
  if (wantsClasses && classes === undefined)
    throw new DataError("the model doesn't say what its classes are called", {
      hint: "Name them in the order of its outputs: --classes cat,dog. Its manifest is the place to keep them.",
    });
  const opened = await (spec.kind === "folder"
    ? openFolders(spec, classes!, options)
    : openDataset(wantsClasses ? { ...spec, classes: [...classes!] } : spec, options));
  return eachAlone ? inEachClass(opened) : opened;
}

/** Folders for some of the model's classes, with the model's numbers. */
async function openFolders(
  spec: Extract<DataSpec, { kind: "folder" }>,
  classes: readonly string[],
  options: { input?: InputManifest },
): Promise<Dataset> {
  const present = new Set(foldersIn(spec.path));
  const unknown = [...present].filter((name) => !classes.includes(name));
  if (unknown.length > 0)
    throw new DataError(`${spec.path}: the model has no class "${unknown.slice(0, 8).join('", "')}"`, {
      hint: `Its classes: ${classes.slice(0, 24).join(", ")}${classes.length > 24 ? ", …" : ""}. Rename the folders, or give --classes.`,
    });
  const found = classes.filter((name) => present.has(name));
  if (found.length === 0) throw new DataError(`${spec.path}: expected one folder per class, found none`);
  const dataset = await openDataset({ ...spec, classes: found }, options);
  const numbers = found.map((name) => classes.indexOf(name));
  return { ...dataset, classes, labelOf: (index) => numbers[dataset.labelOf(index) as number]! };
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (cause) {
    throw new DataError(`${path}: the folder can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
