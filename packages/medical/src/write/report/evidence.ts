import type { Scan } from "../../dicom/scan.ts";
import type { WrittenInstance } from "../common.ts";
import type { Dataset } from "../part10.ts";
import { sourceInstances } from "../references.ts";

/** Everything that a report refers to, by study and series: PS3.3, C.17.2.3. All of it is in the study of the source. */
export function evidence({ identity, slices }: Scan, results: readonly WrittenInstance[]): Dataset {
  return {
    CurrentRequestedProcedureEvidenceSequence: [
      {
        StudyInstanceUID: identity.StudyInstanceUID,
        ReferencedSeriesSequence: [
          {
            SeriesInstanceUID: identity.SeriesInstanceUID,
            ReferencedSOPSequence: sourceInstances(slices),
          },
          ...results.map((result) => ({
            SeriesInstanceUID: result.seriesInstanceUid,
            ReferencedSOPSequence: [resultReference(result)],
          })),
        ],
      },
    ],
  };
}

export const resultReference = ({ sopClassUid, sopInstanceUid }: WrittenInstance): Dataset => ({
  ReferencedSOPClassUID: sopClassUid,
  ReferencedSOPInstanceUID: sopInstanceUid,
});
