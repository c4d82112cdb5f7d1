import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createRng, sha256Hex, writeAtomic } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { derivedUid } from "../src/dicom/uids.ts";
import { dicomweb, dicomwebDestination, pacsSeriesSource, pacsSource, storeResults, watch } from "../src/pacs/index.ts";
import { readJournal } from "../src/pacs/journal.ts";
import type { Geometry } from "../src/volume/geometry.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { part10 } from "../src/write/part10.ts";
import { startOrthanc } from "./orthanc.ts";
import { tinyPacs } from "./tiny-pacs.ts";

const parametricMapStorage = "1.2.840.10008.5.1.4.1.1.30";
const kills = 20;
const series = Array.from({ length: 11 }, (_, i) => `killed-${i}`);
const resultsPerSeries = 6; // as watch-process.mjs makes them
const geometry: Geometry = {
  shape: [4, 8, 8],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};

/** Where the watcher stores; `arrivals` are the results that were stored anew, one entry each time. */
async function somePacs() {
  if (withoutPeers("Orthanc")) {
    const pacs = await tinyPacs();
    const arrivals = async () => [...pacs.held.values()].flatMap((one) => Array(one.times).fill(one.sopInstanceUid));
    return { url: pacs.url, arrivals, close: pacs.close };
  }
  const orthanc = await startOrthanc();
  const arrivals = async (): Promise<string[]> => {
    const log = await (await fetch(`${orthanc.rest}/changes?limit=100000`)).json();
    return (log as { Changes: { ChangeType: string; ID: string }[] }).Changes.filter(
      ({ ChangeType }) => ChangeType === "NewInstance",
    ).map(({ ID }) => ID);
  };
  return { url: orthanc.dicomweb, arrivals, close: orthanc.close };
}

/** Throws when a process ends by itself. */
async function ended(process: ChildProcess): Promise<void> {
  const [code, signal] = await once(process, "exit");
  if (signal === null) throw new Error(`the watcher ended with ${code}`);
}

test("a watcher killed 20 times at any moment: each series' results are in the PACS exactly once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "camkit-killed-"));
  const [inbox, state] = [join(folder, "inbox"), join(folder, "state")];
  const pacs = await somePacs();
  const rng = createRng(20);
  const attempts = new Map<string, number>();
  let arrived = 0;
  let child: ChildProcess | undefined;

  const arrive = async () => {
    const key = series[arrived++];
    if (key === undefined) return;
    await writeCtSeries({ geometry, data: new Int16Array(256) }, join(folder, "making", key), { key, patientId: key });
    await rename(join(folder, "making", key), join(inbox, key));
  };
  const start = () => {
    child = spawn(process.execPath, [join(import.meta.dirname, "watch-process.mjs"), inbox, state, pacs.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface(child.stdout!).on("line", (line) => {
      const event = JSON.parse(line) as { kind: string; series: string; attempt: number };
      if (event.kind === "begun") attempts.set(event.series, event.attempt);
    });
    return child;
  };

  try {
    await mkdir(inbox);
    await arrive();
    for (let kill = 0; kill < kills; kill++) {
      if (kill % 2 === 0) await arrive();
      const running = start();
      await Promise.race([once(running.stdout!, "data"), ended(running)]); // it has begun something, or finished
      await sleep(rng.uniform(0, 350));
      running.kill("SIGKILL");
      await once(running, "exit");
    }
    const last = start();
    const expected = series.map((key) => derivedUid(key, "series"));
    const doneOnes = async () => {
      const entries = await readJournal<{ key: string; state: string }>(join(state, "watch.jsonl"));
      return entries.filter((entry) => entry.state === "done").map(({ key }) => key.split("/")[1]);
    };
    const allDone = async () => {
      while ((await doneOnes()).length < expected.length) await sleep(50);
    };
    await Promise.race([allDone(), ended(last)]);
    last.kill("SIGTERM");
    expect(await once(last, "exit")).toEqual([0, null]);

    // Not every kill may fall into nothing: most series were begun more than once.
    const begunAgain = [...attempts.values()].filter((attempt) => attempt > 1).length;
    expect(begunAgain).toBeGreaterThan(series.length / 4);

    const arrivals = await pacs.arrivals();
    expect(arrivals).toHaveLength(expected.length * resultsPerSeries);
    expect(new Set(arrivals).size).toBe(arrivals.length);
    for (const [i, uid] of expected.entries()) {
      const stored: string[] = [];
      const source = { study: derivedUid(series[i]!, "study"), series: derivedUid(uid, "result") };
      for await (const { bytes } of pacsSource(dicomweb(pacs.url), source)) stored.push(sha256Hex(bytes));
      const written = Array.from({ length: resultsPerSeries }, (_, k) => join(state, "series", uid, `${k}.dcm`));
      const hashes = await Promise.all(written.map(async (path) => sha256Hex(await readFile(path))));
      expect(stored.sort()).toEqual(hashes.sort());
    }
    expect((await doneOnes()).sort()).toEqual([...expected].sort());
  } finally {
    child?.kill("SIGKILL");
    await pacs.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

test.skipIf(withoutPeers("Orthanc"))(
  "new series of a PACS are processed once, and the results that go back there start nothing",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "camkit-pacs-watch-"));
    const orthanc = await startOrthanc();
    try {
      const client = dicomweb(orthanc.dicomweb);
      const arrive = async (key: string) => {
        const data = new Int16Array(256);
        const paths = await writeCtSeries({ geometry, data }, join(folder, key), { key, patientId: key });
        await storeResults(dicomwebDestination(client), paths, join(folder, `${key}.jsonl`));
      };
      await arrive("one");
      const stop = new AbortController();
      const processed: string[] = [];
      await watch({
        source: pacsSeriesSource(client),
        state: join(folder, "state"),
        settleMs: 200,
        signal: stop.signal,
        async process({ study, series, folder: work, instances }) {
          let found = 0;
          for await (const _ of instances()) found++;
          processed.push(`${series}: ${found}`);
          const uids = { StudyInstanceUID: study, SeriesInstanceUID: derivedUid(series, "result") };
          const instance = { SOPClassUID: parametricMapStorage, SOPInstanceUID: derivedUid(series, "map") };
          // A result may well call itself CT: it is the class that counts.
          await writeAtomic(join(work, "map.dcm"), part10({ ...instance, ...uids, Modality: "CT" }));
          await storeResults(dicomwebDestination(client), [join(work, "map.dcm")], join(work, "stored.jsonl"));
          if (processed.length === 1) await arrive("two");
          else setTimeout(() => stop.abort(), 1000);
        },
      });
      expect(processed).toEqual(["one", "two"].map((key) => `${derivedUid(key, "series")}: 4`));
      const { CountInstances } = (await (await fetch(`${orthanc.rest}/statistics`)).json()) as Record<string, number>;
      expect(CountInstances).toBe(2 * (4 + 1));
    } finally {
      await orthanc.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
