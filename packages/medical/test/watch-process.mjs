// A process that watches a folder and stores results, for a test that kills it. Arguments: inbox, state folder, DICOMweb URL.
// Prints a line of JSON per event. Runs the built package, as users do.
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { derivedUid } from "../dist/dicom/uids.js";
import { dicomweb, dicomwebDestination, folderSource, storeResults, watch } from "../dist/pacs/index.js";
import { part10 } from "../dist/write/part10.js";

const [inbox, state, url] = process.argv.slice(2);
const results = 6;
const destination = dicomwebDestination(dicomweb(url, { firstDelayMs: 50 }));
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());

await watch({
  source: folderSource(inbox),
  state,
  settleMs: 100,
  signal: stop.signal,
  onEvent: (event) => console.log(JSON.stringify(event)),
  async process({ study, series, folder, instances }) {
    for await (const _ of instances()) await sleep(10);
    await mkdir(folder, { recursive: true });
    const paths = [];
    for (let k = 0; k < results; k++) {
      const path = join(folder, `${k}.dcm`);
      paths.push(path);
      if (existsSync(path)) continue;
      const uids = { StudyInstanceUID: study, SeriesInstanceUID: derivedUid(series, "result") };
      const SOPInstanceUID = derivedUid(series, "result", String(k));
      const SOPClassUID = "1.2.840.10008.5.1.4.1.1.7";
      // Large enough for the connection to be cut in the middle.
      const PixelData = new Uint8Array(200_000).fill(k).buffer;
      await writeFile(
        `${path}.part`,
        part10({ SOPClassUID, SOPInstanceUID, Modality: "OT", ...uids, PixelData, _vrMap: { PixelData: "OW" } }),
      );
      await rename(`${path}.part`, path);
    }
    // In two steps, so that kills fall between them too.
    await storeResults(destination, paths.slice(0, results / 2), join(folder, "stored.jsonl"));
    await sleep(40);
    await storeResults(destination, paths, join(folder, "stored.jsonl"));
    await sleep(40);
  },
});
