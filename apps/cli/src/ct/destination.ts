import { InputError } from "@camkit/cam-core";
import { type Destination, dicomwebDestination, dimseDestination, type ExplainedScan } from "@camkit/medical";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { openPacs } from "./pacs.ts";

export type StoreRequest = {
  readonly store: boolean;
  readonly dimse: string | undefined;
  readonly dicomweb: string | undefined;
  readonly header: readonly string[];
  readonly remapUids: boolean;
};

/** Where results go; undefined for nowhere but the folder. Throws UsageError. */
export async function openDestination(request: StoreRequest, io: Io): Promise<Destination | undefined> {
  const { store, dimse, dicomweb, header } = request;
  if (dimse !== undefined && store)
    throw new UsageError("--store goes to --dicomweb, --dimse elsewhere: give one of them");
  if (dimse !== undefined) return dimseDestination(dimse);
  if (!store) return undefined;
  if (dicomweb === undefined) throw new UsageError("--store needs --dicomweb: where to, or --dimse instead");
  return dicomwebDestination(openPacs(dicomweb, header, io));
}

/**
 * Refuses to store results under UIDs that the PACS doesn't know its own series by, unless that was asked for.
 * Throws InputError with what was replaced.
 */
export function checkStorable({ scan }: ExplainedScan, { remapUids }: Pick<StoreRequest, "remapUids">): void {
  if (scan.slices.length === 0)
    throw new InputError("results of a NIfTI scan can't be stored: there is no study that they belong to");
  if (scan.remapped.length === 0 || remapUids) return;
  const kinds = [...new Set(scan.remapped.map(({ keyword }) => keyword))].join(", ");
  throw new InputError(
    `the series has missing or illegal UIDs (${kinds}, ${scan.remapped.length} in all): results would belong to a study that no PACS knows`,
    { hint: "Pass --remap-uids to store them under the UIDs that were made instead; result.json lists both." },
  );
}
