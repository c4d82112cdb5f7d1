import type { Dataset } from "../data/dataset.ts";
import type { DataSpec } from "../data/spec.ts";
import { holdOut, kFold } from "../data/split.ts";
import { ConfigError } from "../errors.ts";
import type { Part } from "../loop/train.ts";
import type { Origin } from "./network.ts";
import { isData, testsOf } from "./paths.ts";
import type { Config, SplitConfig } from "./schema.ts";
import { openNamed } from "./test-data.ts";

/** Samples with a name, to be measured. */
export type NamedPart = Part & { readonly name: string };

/** What a run learns from, watches and is measured on. */
export type Parts = {
  readonly train: Part;
  readonly validation: Part | undefined;
  readonly tests: readonly NamedPart[];
};

const heldOut = "held out";
/** Names of samples that aren't a configuration's to give. */
const taken = ["train", "validation", heldOut];

/**
 * Opens all data of a configuration whose paths are resolved. The order of the classes is that of the network's outputs: the
 * model's own where its head is kept, else the training data's; validation and test get these. Throws DataError and ConfigError.
 *
 * @param fold which fold is held out for testing, from 0; undefined: none
 */
export async function openParts(config: Config, origin: Origin, fold?: number): Promise<Parts> {
  const { data, seed } = config;
  const { input } = origin;
  const kept = keptClasses(config, origin);
  const options = input ? { input } : {};
  const dataset = await openNamed(data.train as DataSpec, kept, options);
  const open = async (spec: DataSpec): Promise<Dataset> => {
    // A list in which no sample happens to have several labels is still one of a multi-label set.
    const several = spec.kind === "list" && dataset.labelKind === "multi-label" ? { multiLabel: true } : {};
    const classes = dataset.labelKind === "values" ? undefined : dataset.classes;
    const opened = await openNamed({ ...several, ...spec }, classes, options);
    if (opened.labelKind !== dataset.labelKind)
      throw new ConfigError(
        `${nameOf(spec)} has labels of the kind ${opened.labelKind}, the training data ${dataset.labelKind}`,
      );
    return opened;
  };
  const tests: NamedPart[] = [];
  for (const [name, spec] of Object.entries(testsOf(data.test))) {
    if (taken.includes(name)) throw new ConfigError(`data.test: a set can't be called "${name}", which is another one`);
    tests.push({ name, dataset: await open(spec as DataSpec) });
  }

  let rest: Part = { dataset };
  if (fold !== undefined) {
    const { count, options } = foldsOf(config)!;
    const split = kFold(dataset, count, seed, splitting(dataset, options))[fold]!;
    rest = { dataset, indices: split.train };
    tests.push({ name: heldOut, dataset, indices: split.held });
  }
  const { validation } = data;
  if (validation === undefined) return { train: rest, validation: undefined, tests };
  if (isData(validation)) return { train: rest, validation: { dataset: await open(validation as DataSpec) }, tests };
  const { fraction, ...asked } = validation;
  const indices = rest.indices ?? Array.from({ length: dataset.count }, (_, i) => i);
  const { train, held } = holdOut(subset(dataset, indices), fraction, seed, splitting(dataset, asked));
  const back = (chosen: readonly number[]): Part => ({ dataset, indices: chosen.map((i) => indices[i]!) });
  return { train: back(train), validation: back(held), tests };
}

/** How many folds are asked for, or which one of them (from 1), and how they are made. Throws ConfigError. */
export function foldsOf({ data: { folds } }: Config): Folds | undefined {
  if (folds === undefined) return undefined;
  const { count, only, ...options } = typeof folds === "number" ? { count: folds } : folds;
  if (only !== undefined && only > count) throw new ConfigError(`data.folds: there are ${count}, not ${only}`);
  return { count, only, options };
}

export type Folds = { readonly count: number; readonly only: number | undefined; readonly options: SplitConfig };

/** How many samples a part has. */
export function sizeOfPart({ dataset, indices }: Part): number {
  return indices?.length ?? dataset.count;
}

function splitting(dataset: Dataset, asked: SplitConfig) {
  return {
    stratified: asked.stratified ?? dataset.labelKind === "class",
    byGroup: asked.byGroup ?? dataset.groupOf(0) !== undefined,
  };
}

/** Some samples as a data set that can be split; its pixels are read through the whole one. */
function subset(dataset: Dataset, indices: readonly number[]): Dataset {
  return {
    ...dataset,
    count: indices.length,
    labelOf: (i) => dataset.labelOf(indices[i]!),
    groupOf: (i) => dataset.groupOf(indices[i]!),
    idOf: (i) => dataset.idOf(indices[i]!),
  };
}

/** The classes of the model that a run goes on from with its head, where they are known. Throws ConfigError. */
function keptClasses({ network, data: { train } }: Config, { model }: Origin): readonly string[] | undefined {
  if (!("model" in network) || network.head !== "keep" || !model || model.labels.length === 0) return undefined;
  const asked = (train as { classes?: readonly string[] }).classes;
  if (asked && String(asked) !== String(model.labels))
    throw new ConfigError(`data.train.classes: the model answers in the order ${model.labels.slice(0, 8).join(", ")}`, {
      hint: "Leave them out, or give it a head for the data: `head: replace`.",
    });
  return model.labels;
}

function nameOf(spec: DataSpec): string {
  return spec.kind === "module" ? spec.url : spec.kind === "npy" ? spec.inputs : spec.path;
}
