import { groundwork, type InputManifest, int64, type ModelFile } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { entriesOf } from "../data/folder.ts";
import { labelAt } from "../data/labels.ts";
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
export function answersOf(model: ModelFile, classes?: readonly string[]): Answers {
  const { graph, manifest, labels } = model;
  const { name = graph.outputs[0]!.name, activation = squashOf(model) } = manifest?.output ?? {};
  const width = graph.outputs.find((output) => output.name === name)?.shape?.[1];
  return {
    classes: classes ?? (labels.length > 0 ? labels : undefined),
    eachAlone: activation === "sigmoid" && width !== 1,
  };
}

/** What the graph itself ends with: sigmoid, where no manifest says what its logits become. */
function squashOf(model: ModelFile): "sigmoid" | undefined {
  return groundwork(model).squashedBy === "Sigmoid" ? "sigmoid" : undefined;
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
  const several = eachAlone && spec.kind === "list" && spec.targets === undefined ? { multiLabel: true } : {};
  const opened = await openNamed({ ...several, ...spec } as DataSpec, classes, options);
  if (classes === undefined && opened.labelKind !== "values" && spec.kind !== "module")
    throw new DataError("the model doesn't say what its classes are called", {
      hint: "Name them in the order of its outputs: --classes cat,dog. Its manifest is the place to keep them.",
    });
  return eachAlone ? inEachClass(opened) : opened;
}

/**
 * Data whose labels are numbers of `classes`, where there are any; classes that the data names itself are matched by name. Throws
 * as `openTestData` does.
 */
export async function openNamed(
  spec: DataSpec,
  classes: readonly string[] | undefined,
  options: { input?: InputManifest },
): Promise<Dataset> {
  if (classes === undefined || spec.kind === "module" || (spec.kind === "list" && spec.targets !== undefined))
    return openDataset(spec, options);
  if (spec.classes !== undefined) return renumbered(await openDataset(spec, options), classes, nameOf(spec));
  if (spec.kind === "folder") return openFolders(spec, classes, options);
  return openDataset({ ...spec, classes: [...classes] }, options);
}

const nameOf = (spec: Exclude<DataSpec, { kind: "module" }>) => (spec.kind === "npy" ? spec.labels : spec.path);

/** The same samples with class numbers of another list of names, which has all of the data's; batches too. Throws DataError. */
function renumbered(dataset: Dataset, classes: readonly string[], path: string): Dataset {
  const own = dataset.classes;
  if (dataset.labelKind !== "class" || own === undefined || String(own) === String(classes)) return dataset;
  const unknown = own.filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw unknownClasses(path, unknown, classes);
  const numbers = own.map((name) => classes.indexOf(name));
  const { source } = dataset;
  if (source.kind === "generator") return dataset;
  const labels = int64(
    source.labels.shape,
    Array.from(source.labels.data as BigInt64Array, (old) => numbers[Number(old)]!),
  );
  return { ...dataset, classes, labelOf: (index) => labelAt(labels, index), source: { ...source, labels } };
}

function unknownClasses(path: string, unknown: readonly string[], classes: readonly string[]): DataError {
  return new DataError(`${path}: the model has no class "${unknown.slice(0, 8).join('", "')}"`, {
    hint: `Its classes: ${classes.slice(0, 24).join(", ")}${classes.length > 24 ? ", …" : ""}. Rename the folders, or give --classes.`,
  });
}

/** Folders for some of the model's classes, with the model's numbers. */
async function openFolders(
  spec: Extract<DataSpec, { kind: "folder" }>,
  classes: readonly string[],
  options: { input?: InputManifest },
): Promise<Dataset> {
  const present = new Set(entriesOf(spec.path, "").folders);
  const unknown = [...present].filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw unknownClasses(spec.path, unknown, classes);
  if (present.size === 0) throw new DataError(`${spec.path}: expected one folder per class, found none`);
  return openDataset({ ...spec, classes: [...classes] }, { ...options, someClasses: true });
}
