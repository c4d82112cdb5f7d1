import { isUid } from "../dicom/uids.ts";
import { PacsError } from "../errors.ts";
import type { DicomwebClient } from "./client.ts";
import { type DicomJson, readDicomJson, type Tag, tags, textOf } from "./dicom-json.ts";

/** What has to match: wildcards `*` and `?`, date ranges `20260101-20261231`, as PS3.18, 8.3.4 has them. */
export type Filter = Readonly<Partial<Record<Tag | "PatientID" | "PatientName" | "AccessionNumber", string>>>;

const pageSize = 1000;

/** QIDO-RS: the studies that match. */
export async function* findStudies(client: DicomwebClient, filter: Filter = {}): AsyncGenerator<DicomJson> {
  yield* search(client, "/studies", "StudyInstanceUID", filter);
}

/** QIDO-RS: the series that match, of one study or of all. */
export async function* findSeries(
  client: DicomwebClient,
  { study, ...filter }: Filter & { readonly study?: string | undefined },
): AsyncGenerator<DicomJson> {
  const path = study === undefined ? "/series" : `${resource({ study })}/series`;
  yield* search(client, path, "SeriesInstanceUID", filter, ["Modality", "NumberOfSeriesRelatedInstances"]);
}

/** QIDO-RS: the instances of a series that match. */
export async function* findInstances(
  client: DicomwebClient,
  { study, series, ...filter }: Filter & { readonly study: string; readonly series: string },
): AsyncGenerator<DicomJson> {
  yield* search(client, `${resource({ study, series })}/instances`, "SOPInstanceUID", filter);
}

/** The path of a study, series or instance. Throws PacsError on what isn't a UID: nothing else may get into a URL. */
export function resource(uids: { study: string; series?: string; instance?: string }): string {
  const { study, series, instance } = uids;
  const steps = [
    ["studies", study],
    ["series", series],
    ["instances", instance],
  ] as const;
  return steps
    .filter(([, uid]) => uid !== undefined)
    .map(([kind, uid]) => {
      // Leading zeros are wrong, and in use.
      if (isUid(uid!) || /^[\d.]{1,64}$/.test(uid!)) return `/${kind}/${uid}`;
      throw new PacsError(`${kind}/${uid}`, "not a UID, expected up to 64 digits and dots");
    })
    .join("");
}

/**
 * All matches, page by page. Servers cap pages as they like, and some know no offset: what counts is whether a page brings
 * anything new. One without any ends it.
 */
async function* search(
  client: DicomwebClient,
  path: string,
  key: Tag,
  filter: Filter,
  include: readonly Tag[] = [],
): AsyncGenerator<DicomJson> {
  const seen = new Set<string>();
  for (;;) {
    const query = new URLSearchParams(filter);
    for (const keyword of include) query.append("includefield", tags[keyword]);
    query.append("limit", String(pageSize));
    query.append("offset", String(seen.size));
    const page = await client.request(
      `${path}?${query}`,
      { headers: { Accept: "application/dicom+json" } },
      readDicomJson,
    );
    const before = seen.size;
    for (const match of page) {
      const uid = textOf(match, key);
      if (uid === "" || seen.has(uid)) continue;
      seen.add(uid);
      yield match;
    }
    if (seen.size === before) return;
  }
}
