import type { PacsInstance } from "../source.ts";

/** A series as it lies at a source now, maybe not yet all of it. */
export type Arrival = {
  readonly study: string;
  readonly series: string;
  /** Instances that are there. */
  readonly count: number;
  /** Another one whenever something arrived. */
  readonly fingerprint: string;
  /** One by one. */
  instances(): AsyncIterable<PacsInstance>;
};

/** Something that lies where series are expected, and is none. */
export type Stray = { readonly name: string; readonly fingerprint: string; readonly reason: string };

/** Where new series come from. */
export type WatchSource = {
  /** For messages. */
  readonly name: string;
  /** What is there now, but for what lies in the folder `except`. Throws PacsError, FileError. */
  poll(except: string): Promise<{ readonly series: readonly Arrival[]; readonly strays: readonly Stray[] }>;
};

/**
 * What is processed where nothing else is asked for, by SOP class: PS3.4, B.5. Results (maps, segmentations, captures, reports)
 * aren't among them, so storing them where series are watched for starts nothing.
 */
export const imageClasses: ReadonlySet<string> = new Set([
  "1.2.840.10008.5.1.4.1.1.2", // CT
  "1.2.840.10008.5.1.4.1.1.2.1", // Enhanced CT
  "1.2.840.10008.5.1.4.1.1.2.2", // Legacy Converted Enhanced CT
  "1.2.840.10008.5.1.4.1.1.1", // Computed Radiography
  "1.2.840.10008.5.1.4.1.1.1.1", // Digital X-Ray, for presentation
  "1.2.840.10008.5.1.4.1.1.1.2", // Digital Mammography X-Ray, for presentation
]);
