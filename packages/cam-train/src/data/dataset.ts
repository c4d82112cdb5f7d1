import type { DType } from "@camkit/cam-core/data";
import type { Source } from "./source.ts";

/** A class number, or one number for each label or target. */
export type Label = number | readonly number[];

/**
 * What the numbers of a label mean. `class`: one number, an int64 [] field. `multi-label`: 0 or 1 for each class; `values`:
 * targets of a regression, or soft labels; both are float32 [K] fields.
 */
export type LabelKind = "class" | "multi-label" | "values";

/** One tensor that every sample has, without the batch axis. */
export type Field = { readonly dtype: DType; readonly shape: readonly number[] };
export type Fields = Readonly<Record<string, Field>>;

/** Samples that can be counted, labelled and split without reading their pixels. */
export type Dataset = {
  readonly count: number;
  /** The names of the classes in the order of a model's outputs; undefined for values, and where a generator has none. */
  readonly classes: readonly string[] | undefined;
  readonly labelKind: LabelKind;
  /**
   * `input`: of pictures uint8 [H, W, C]. `label`: see `LabelKind`. `mask`, where the data has masks: uint8 [H, W], 1 inside
   * and 0 outside. A generator may have more.
   */
  readonly fields: Fields;
  labelOf(index: number): Label;
  /** What must not straddle a split (a patient); undefined where the data doesn't say. */
  groupOf(index: number): string | undefined;
  /** A name that stays: the path inside the data set. */
  idOf(index: number): string;
  /** Changes with the samples, their order and labels, so that a run that goes on notices other data. */
  readonly fingerprint: string;
  readonly report: DataReport;
  /** How a worker gets at the samples: plain data. */
  readonly source: Source;
};

export type DataReport = {
  /** Files and folders that lie where pictures are looked for but aren't samples. */
  readonly stray: readonly string[];
  /** Left out because they can't be read (`skipUnreadable`). */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
};

/** Nothing to report. */
export const nothing: DataReport = { stray: [], unreadable: [] };
