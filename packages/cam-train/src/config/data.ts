import type { InputManifest } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { openDataset } from "../data/open.ts";
import type { DataSpec } from "../data/spec.ts";
import { holdOut, kFold } from "../data/split.ts";
import { ConfigError } from "../errors.ts";
import type { Part } from "../loop/train.ts";
import { isData, testsOf } from "./paths.ts";
import type { Config, SplitConfig } from "./schema.ts";

/** Samples with a name, to be measured. */
export type NamedPart = Part & { readonly name: string };

/** What a run learns from, watches and is measured on. */
export type Parts = {
  readonly train: Part;
  readonly validation: Part | undefined;
  readonly tests: readonly NamedPart[];
};

/**
 * Opens all data of a configuration whose paths are resolved. Validation and test get the training data's classes: their order
 * is that of the network's outputs. Throws DataError and ConfigError.
 *
 * @param fold which fold is held out for testing, from 0; undefined: none
 */
export async function openParts(config: Config, input: InputManifest | undefined, fold?: number): Promise<Parts> {
  const { data, seed } = config;
  const options = input ? { input } : {};
  const dataset = await openDataset(data.train as DataSpec, options);
  const open = async (spec: DataSpec): Promise<Dataset> => {
    const opened = await openDataset(withClasses(spec, dataset), options);
    if (opened.labelKind !== dataset.labelKind)
      throw new ConfigError(
        `${nameOf(spec)} has labels of the kind ${opened.labelKind}, the training data ${dataset.labelKind}`,
      );
    return opened;
  };
  const tests: NamedPart[] = [];
  for (const [name, spec] of Object.entries(testsOf(data.test)))
    tests.push({ name, dataset: await open(spec as DataSpec) });

  let rest: Part = { dataset };
  if (fold !== undefined) {
    const { count, options } = foldsOf(config)!;
    const split = kFold(dataset, count, seed, splitting(dataset, options))[fold]!;
    rest = { dataset, indices: split.train };
    tests.push({ name: "held out", dataset, indices: split.held });
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

/** How many folds are asked for, and how they are made. */
export function foldsOf({ data: { folds } }: Config): { count: number; options: SplitConfig } | undefined {
  if (folds === undefined) return undefined;
  if (typeof folds === "number") return { count: folds, options: {} };
  const { count, ...options } = folds;
  return { count, options };
}

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

function withClasses(spec: DataSpec, { classes, labelKind }: Dataset): DataSpec {
  if (spec.kind === "module" || labelKind === "values" || classes === undefined) return spec;
  return { classes: [...classes], ...spec };
}

function nameOf(spec: DataSpec): string {
  return spec.kind === "module" ? spec.url : spec.kind === "npy" ? spec.inputs : spec.path;
}
