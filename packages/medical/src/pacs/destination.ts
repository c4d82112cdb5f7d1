import type { DicomwebClient } from "./client.ts";
import { textOf } from "./dicom-json.ts";
import type { InstanceFile } from "./head.ts";
import { findInstances } from "./query.ts";
import { type StoreOutcome, storeInstances } from "./store.ts";

/** Where results go. */
export type Destination = {
  /** Its address, for the journal and for messages. */
  readonly name: string;
  /** How often sending is tried. */
  readonly attempts: number;
  pause(attempt: number): Promise<void>;
  /** Which of these it has; undefined where it can't be asked, so that the journal has to do. */
  present(files: readonly InstanceFile[]): Promise<ReadonlySet<string> | undefined>;
  /** Sends, each file at most once. Throws PacsUnreachableError when it isn't known what arrived. */
  send(files: readonly InstanceFile[]): Promise<readonly StoreOutcome[]>;
};

/** A PACS by DICOMweb: asked by QIDO-RS, a query per series, sent to by STOW-RS. */
export function dicomwebDestination(client: DicomwebClient): Destination {
  return {
    name: client.url,
    attempts: client.attempts,
    pause: client.pause,
    send: (files) => storeInstances(client, files),
    async present(files) {
      const series = new Map(files.map((file) => [file.seriesInstanceUid, file.studyInstanceUid]));
      const found = new Set<string>();
      for (const [seriesUid, study] of series)
        for await (const instance of findInstances(client, { study, series: seriesUid }))
          found.add(textOf(instance, "SOPInstanceUID"));
      return found;
    },
  };
}
