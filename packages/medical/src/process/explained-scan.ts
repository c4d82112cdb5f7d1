import type { ScanReport } from "../report/index.ts";

/** A scan, what a model says of it, where it looked, and how far that can be trusted: everything that results are written from. */
export type ExplainedScan = Omit<ScanReport, "files" | "signal"> & {
  /** Classes don't exclude each other. */
  readonly isMultiLabel?: boolean;
};
