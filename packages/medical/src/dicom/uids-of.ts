import type { Instance } from "./instance.ts";
import type { Identity, RemappedUid } from "./scan.ts";
import { counted, type Slice, sliceName } from "./slice.ts";
import { derivedUid, isUid } from "./uids.ts";

export type ScanUids = {
  readonly identity: Identity;
  readonly frameOfReferenceUid: string | undefined;
  readonly sopInstanceUid: (instance: Instance) => string;
  readonly remapped: readonly RemappedUid[];
  readonly notes: readonly string[];
};

/**
 * UIDs for a scan's slices, in order. Legal ones stay. An illegal one is derived from what stood there, within its study or
 * series; a missing one from what names the thing otherwise: the study's from the series', the frame of reference's from the
 * series', an instance's from the hash of its file, the series' from the hash of its first slice. So the same files always get
 * the same names. An instance's UID that two files with different content share is replaced, too, as a reference to it
 * would mean either. Projections have no frame of reference, and get none.
 */
export function withUids(slices: readonly Slice[], space?: "no frame of reference"): ScanUids {
  const first = slices[0]!.instance;
  const remapped: RemappedUid[] = [];
  const notes: string[] = [];
  const legal = (keyword: RemappedUid["keyword"], old: string, ...parts: string[]) => {
    if (isUid(old)) return old;
    const uid = derivedUid(keyword, ...parts);
    remapped.push({ keyword, old, uid });
    return uid;
  };
  const { StudyInstanceUID: study, SeriesInstanceUID: series } = first.identity;
  const seriesName = series === "" ? first.hash() : series;
  const StudyInstanceUID = legal("StudyInstanceUID", study, study === "" ? `of series ${seriesName}` : study);
  const SeriesInstanceUID = legal("SeriesInstanceUID", series, study, seriesName);
  const frame = first.frameOfReferenceUid;
  const frameOfReferenceUid =
    space === undefined
      ? legal("FrameOfReferenceUID", frame, study, frame === "" ? `of series ${SeriesInstanceUID}` : frame)
      : undefined;

  const shared = sharedUids(slices);
  const byInstance = new Map<Instance, string>();
  const twins: (readonly [Slice, Slice])[] = [];
  for (const slice of slices) {
    const { instance } = slice;
    if (byInstance.has(instance)) continue;
    const old = instance.sopInstanceUid;
    const twin = shared.get(old)?.find((other) => other !== slice);
    if (twin !== undefined) {
      const uid = derivedUid("SOPInstanceUID", SeriesInstanceUID, old, instance.hash());
      remapped.push({ keyword: "SOPInstanceUID", old, uid });
      twins.push([slice, twin]);
      byInstance.set(instance, uid);
    } else
      byInstance.set(instance, legal("SOPInstanceUID", old, SeriesInstanceUID, old === "" ? instance.hash() : old));
  }
  const [pair] = twins;
  if (pair !== undefined)
    notes.push(
      `${counted(twins.length, "slice")} of different content under SOP Instance UIDs of others: ${sliceName(pair[0])} and ${sliceName(pair[1])} for one have ${pair[0].instance.sopInstanceUid}`,
    );
  return {
    identity: { ...first.identity, StudyInstanceUID, SeriesInstanceUID },
    frameOfReferenceUid,
    sopInstanceUid: (instance) => byInstance.get(instance)!,
    remapped,
    notes,
  };
}

/** Slices of different files under one SOP Instance UID, legal or not. */
function sharedUids(slices: readonly Slice[]): ReadonlyMap<string, readonly Slice[]> {
  const byUid = new Map<string, Slice[]>();
  for (const slice of slices) {
    const { sopInstanceUid: uid } = slice.instance;
    if (uid === "") continue;
    const known = byUid.get(uid) ?? [];
    if (!known.some(({ instance }) => instance === slice.instance)) known.push(slice);
    byUid.set(uid, known);
  }
  return new Map([...byUid].filter(([, known]) => known.length > 1));
}
