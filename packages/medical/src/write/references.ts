import type { Scan, SliceSource } from "../dicom/scan.ts";
import { type Code, codes } from "./codes.ts";
import type { Dataset } from "./part10.ts";

/** A reference to one instance, or to one frame of it: PS3.3, table 10-3. */
export const instanceReference = (source: SliceSource): Dataset => ({
  ReferencedSOPClassUID: source.sopClassUid,
  ReferencedSOPInstanceUID: source.sopInstanceUid,
  ...(source.frame === undefined ? {} : { ReferencedFrameNumber: String(source.frame) }),
});

/** Each source instance once, whatever the number of its frames, in the order of the slices. */
export function sourceInstances(slices: readonly SliceSource[]): Dataset[] {
  const seen = new Map<string, Dataset>();
  for (const { sopClassUid, sopInstanceUid } of slices)
    if (!seen.has(sopInstanceUid))
      seen.set(sopInstanceUid, { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid });
  return [...seen.values()];
}

/**
 * The series of the source with those of its instances that are referred to: PS3.3, C.12.2. Viewers find by it what to lay the
 * result over.
 */
export const referencedSeries = ({ identity, slices }: Scan, used = slices): Dataset => ({
  ReferencedSeriesSequence: [
    { ReferencedInstanceSequence: sourceInstances(used), SeriesInstanceUID: identity.SeriesInstanceUID },
  ],
});

/** What a frame was made of, and how: PS3.3, C.7.6.16.2.6. */
export const derivationImage = (scan: Scan, k: number, derivation: Code): Dataset => ({
  DerivationImageSequence: [
    {
      SourceImageSequence: [
        {
          ...instanceReference(scan.slices[k]!),
          PurposeOfReferenceCodeSequence: [codes.sourceImage],
          SpatialLocationsPreserved: scan.resampled ? "NO" : "YES",
        },
      ],
      DerivationCodeSequence: [derivation],
    },
  ],
});
