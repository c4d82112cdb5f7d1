import type { RanOn } from "@camkit/cam-core";
import type { ScanReport } from "../report/index.ts";
import type { Stage } from "./stages.ts";

/** A scan, what a model says of it, where it looked, and how far that can be trusted: everything that results are written from. */
export type ExplainedScan = Omit<ScanReport, "files" | "signal"> & {
  /** The label's number; what `provenance.target` names. */
  readonly classIndex: number;
  /** What a segmentation network found, in millilitres, by class; empty for classifiers. */
  readonly structures: readonly { readonly class: number; readonly label?: string; readonly volumeMl: number }[];
  /** Which devices the explained graph ran on. */
  readonly ranOn: RanOn;
  /** What took how long. */
  readonly stages: readonly Stage[];
};
