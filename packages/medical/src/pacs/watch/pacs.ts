import type { DicomwebClient } from "../client.ts";
import { textOf } from "../dicom-json.ts";
import { type Filter, findInstances, findSeries } from "../query.ts";
import { pacsSource } from "../source.ts";
import { type Arrival, imageClasses, type WatchSource } from "./arrival.ts";

export type PacsWatchOptions = {
  /** What is looked for. Default: CT. A PACS holds years of it: give a range of StudyDate, as `20260101-`. */
  readonly filter?: Filter;
  /** SOP classes that are processed; others are left alone. Default: images. */
  readonly sopClasses?: ReadonlySet<string>;
};

/** Series that arrive in a PACS, asked for again and again by QIDO-RS. */
export function pacsSeriesSource(client: DicomwebClient, options: PacsWatchOptions = {}): WatchSource {
  const { filter = { Modality: "CT" }, sopClasses = imageClasses } = options;
  let classes = new Map<string, string>();
  return {
    name: client.url,
    async poll() {
      const series: Arrival[] = [];
      const now = new Map<string, string>();
      for await (const found of findSeries(client, filter)) {
        const uids = { study: textOf(found, "StudyInstanceUID"), series: textOf(found, "SeriesInstanceUID") };
        const sopClass = classes.get(uids.series) ?? (await sopClassOf(client, uids));
        now.set(uids.series, sopClass);
        if (!sopClasses.has(sopClass)) continue;
        const count = Number(textOf(found, "NumberOfSeriesRelatedInstances")) || (await counted(client, uids));
        const instances = () => pacsSource(client, uids);
        series.push({ ...uids, count, fingerprint: String(count), instances });
      }
      classes = now;
      return { series, strays: [] };
    },
  };
}

type Uids = { readonly study: string; readonly series: string };

/** Of a series' first instance: a series has one, but for oddities that whoever reads it sorts out. */
async function sopClassOf(client: DicomwebClient, uids: Uids): Promise<string> {
  for await (const instance of findInstances(client, uids)) return textOf(instance, "SOPClassUID");
  return "";
}

async function counted(client: DicomwebClient, uids: Uids): Promise<number> {
  let count = 0;
  for await (const _ of findInstances(client, uids)) count++;
  return count;
}
