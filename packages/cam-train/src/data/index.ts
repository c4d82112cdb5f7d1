/** Data: described, opened, split, and fed batch by batch. */

export { type AugmentSpec, augmentSchema } from "./augment/index.ts";
export type { Batch } from "./batch.ts";
export type { DataReport, Dataset, Field, Fields, Label, LabelKind } from "./dataset.ts";
export { type Duplicate, findDuplicates, leaked } from "./duplicates.ts";
export { type Feeder, type FeederOptions, openFeeder } from "./feeder.ts";
export { type MixSpec, mixSchema } from "./mix.ts";
export { type DatasetOptions, openDataset } from "./open.ts";
export type { Generator } from "./read-generator.ts";
export { augmentedSheet } from "./sheet.ts";
export type { Sample } from "./source.ts";
export { type DataSpec, dataSpecSchema } from "./spec.ts";
export { holdOut, kFold, type Split, type SplitOptions } from "./split.ts";
