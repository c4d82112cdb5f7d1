import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256Hex } from "@camkit/cam-core/data";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { derivedUid } from "../src/dicom/uids.ts";
import {
  authorizationFrom,
  type DicomJson,
  dicomweb,
  dicomwebDestination,
  findInstances,
  findSeries,
  findStudies,
  pacsSource,
  retrieveMetadata,
  storeResults,
  textOf,
} from "../src/pacs/index.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { type Orthanc, startOrthanc } from "./orthanc.ts";

describe.skipIf(withoutPeers("Orthanc"))("a PACS: Orthanc", () => {
  let orthanc: Orthanc;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "camkit-pacs-"));
    orthanc = await startOrthanc();
  }, 60_000);
  afterAll(async () => {
    await orthanc?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A series of values that compress badly, in files of its own. */
  function writeSeries(key: string, slices: number, size = 16): Promise<string[]> {
    const geometry = {
      shape: [slices, size, size],
      spacingMm: [2, 1, 1],
      originMm: [0, 0, 0],
      directions: [
        [0, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
      ],
    } as const;
    const data = Int16Array.from({ length: slices * size * size }, (_, i) => ((i * 7919) % 3001) - 1000);
    return writeCtSeries({ geometry, data }, join(folder, key), { key, patientId: key });
  }

  const uidsOf = (key: string) => ({ study: derivedUid(key, "study"), series: derivedUid(key, "series") });

  /** Every file of the series is at the PACS once, byte for byte, and arrived there once. */
  async function expectOnce(key: string, paths: readonly string[]): Promise<void> {
    const client = dicomweb(orthanc.dicomweb);
    const fetched: string[] = [];
    for await (const { bytes } of pacsSource(client, uidsOf(key))) fetched.push(sha256Hex(bytes));
    const written = await Promise.all(paths.map(async (path) => sha256Hex(await readFile(path))));
    expect(fetched.sort()).toEqual(written.sort());
    const arrivals = await newInstances(uidsOf(key).series);
    expect(arrivals).toHaveLength(paths.length);
    expect(new Set(arrivals).size).toBe(paths.length);
  }

  /** Orthanc's log of changes: an entry whenever an instance was stored that wasn't there. */
  async function newInstances(series: string): Promise<string[]> {
    const arrived: string[] = [];
    for (let since = 0; ; ) {
      const page = (await ask(`/changes?since=${since}&limit=1000`)) as Changes;
      for (const { ChangeType, ID } of page.Changes) if (ChangeType === "NewInstance") arrived.push(ID);
      if (page.Done) break;
      since = page.Last;
    }
    const query = { Level: "Instance", Query: { SeriesInstanceUID: series } };
    const ours = new Set((await ask("/tools/find", query)) as string[]);
    return arrived.filter((id) => ours.has(id));
  }
  type Changes = { Changes: { ChangeType: string; ID: string }[]; Done: boolean; Last: number };

  /** Orthanc's own interface; a connection that it cut off is opened anew. */
  async function ask(path: string, body?: object): Promise<unknown> {
    const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const again = () => fetch(`${orthanc.rest}${path}`, request);
    return (await again().catch(again)).json();
  }

  /** Waits until so many instances of a series have arrived. */
  async function arrived(series: string, count: number): Promise<void> {
    while ((await newInstances(series)).length < count) await sleep(5);
  }

  test("a series is stored, found and fetched, byte for byte; storing it again sends nothing", async () => {
    const paths = await writeSeries("roundtrip", 12);
    const client = dicomweb(`${orthanc.dicomweb}/`);
    const journal = join(folder, "roundtrip.jsonl");
    const destination = dicomwebDestination(client);
    expect(await storeResults(destination, paths, journal)).toEqual({
      stored: paths,
      present: [],
      refused: [],
      warnings: [],
    });
    expect(await storeResults(destination, paths, journal)).toMatchObject({ stored: [], present: paths });
    await rm(journal);
    expect(await storeResults(destination, paths, journal)).toMatchObject({ stored: [], present: paths });
    await expectOnce("roundtrip", paths);

    const { study, series } = uidsOf("roundtrip");
    const all = async (found: AsyncIterable<DicomJson>, keyword: Parameters<typeof textOf>[1]) => {
      const values: string[] = [];
      for await (const one of found) values.push(textOf(one, keyword));
      return values;
    };
    expect(await all(findStudies(client, { PatientID: "roundtrip" }), "StudyInstanceUID")).toEqual([study]);
    expect(await all(findStudies(client, { PatientID: "nobody" }), "StudyInstanceUID")).toEqual([]);
    expect(await all(findSeries(client, { study, Modality: "CT" }), "SeriesInstanceUID")).toEqual([series]);
    expect(await all(findSeries(client, { study }), "NumberOfSeriesRelatedInstances")).toEqual(["12"]);
    expect((await all(findInstances(client, { study, series }), "SOPInstanceUID")).sort()).toEqual(
      paths.map((_, k) => derivedUid("roundtrip", "instance", String(k))).sort(),
    );
    const metadata = await retrieveMetadata(client, { study, series });
    expect(metadata.map((one) => textOf(one, "InstanceNumber")).sort()).toEqual(
      paths.map((_, k) => String(k + 1)).sort(),
    );
    const [instance] = metadata.map((one) => textOf(one, "SOPInstanceUID"));
    expect(await retrieveMetadata(client, { study, series, instance: instance! })).toHaveLength(1);
  });

  test.each([
    ["what is no DICOM file", { path: "junk.dcm", code: "dicom", message: /junk.dcm: not a DICOM file/ }],
    ["a file that isn't there", { path: "nowhere.dcm", code: "file", message: /nowhere.dcm: no such file/ }],
  ])("%s is refused before anything is sent", async (_, { path, code, message }) => {
    await writeFile(join(folder, "junk.dcm"), "x".repeat(500));
    const destination = dicomwebDestination(dicomweb(orthanc.dicomweb));
    const error = await storeResults(destination, [join(folder, path)], join(folder, "j.jsonl")).catch((e) => e);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("a series that isn't there, and a path that isn't DICOMweb's, are said", async () => {
    const nowhere = { study: "1.2.3", series: "1.2.3.4" };
    const fetching = async (url: string) => {
      for await (const _ of pacsSource(dicomweb(url, { attempts: 1 }), nowhere)) break;
    };
    await expect(fetching(orthanc.dicomweb)).rejects.toMatchObject({
      code: "pacs",
      message: expect.stringMatching(/series\/1\.2\.3\.4: no such series/),
    });
    await expect(fetching(`${orthanc.rest}/app`)).rejects.toMatchObject({ code: "pacs", status: 404 });
    await expect(fetching(`${orthanc.rest}/app/explorer.html`)).rejects.toMatchObject({ code: "pacs" });
  });

  test("a PACS that wants credentials gets them, and says what is missing without", async () => {
    const closed = await startOrthanc({ AuthenticationEnabled: true, RegisteredUsers: { jo: "pass:word" } });
    try {
      const studies = (environment: NodeJS.ProcessEnv) =>
        findStudies(dicomweb(closed.dicomweb, { authorization: authorizationFrom(environment) })).next();
      const jo = { CAMKIT_DICOMWEB_USER: "jo", CAMKIT_DICOMWEB_PASSWORD: "pass:word" };
      expect(await studies(jo)).toEqual({ done: true, value: undefined });
      for (const environment of [{}, { ...jo, CAMKIT_DICOMWEB_PASSWORD: "wrong" }])
        await expect(studies(environment)).rejects.toMatchObject({
          code: "pacs",
          status: 401,
          hint: expect.stringContaining("CAMKIT_DICOMWEB_TOKEN"),
        });
    } finally {
      await closed.close();
    }
  });

  test("killed in the middle of a store and started again: nothing lost, nothing twice", async () => {
    const paths = await writeSeries("killed", 60, 256);
    const destination = dicomwebDestination(dicomweb(orthanc.dicomweb, { firstDelayMs: 200, attempts: 8 }));
    const storing = storeResults(destination, paths, join(folder, "killed.jsonl"));
    await arrived(uidsOf("killed").series, 5);
    await orthanc.kill();
    await sleep(300);
    await orthanc.start();
    const before = (await newInstances(uidsOf("killed").series)).length;
    expect(before).toBeGreaterThanOrEqual(5);
    expect(before).toBeLessThan(60); // else it was no middle
    const { stored, present, refused } = await storing;
    expect([stored.length, present.length, refused.length]).toEqual([60, 0, 0]);
    await expectOnce("killed", paths);
  });

  test("away for longer than anybody waits: the next call goes on where this one stopped", async () => {
    const paths = await writeSeries("away", 60, 256);
    const destination = dicomwebDestination(dicomweb(orthanc.dicomweb, { firstDelayMs: 10, attempts: 2 }));
    const journal = join(folder, "away.jsonl");
    const storing = storeResults(destination, paths, journal).catch((error) => error);
    await arrived(uidsOf("away").series, 3);
    await orthanc.kill();
    expect(await storing).toMatchObject({ code: "pacs-unreachable", blame: "environment" });
    await orthanc.start();
    const { stored, present } = await storeResults(destination, paths, journal);
    expect(present.length).toBeGreaterThanOrEqual(3);
    expect(stored.length).toBeGreaterThan(0);
    expect([...stored, ...present].map((path) => basename(path)).sort()).toEqual(paths.map((path) => basename(path)));
    await expectOnce("away", paths);
  });

  test("stopped without a word, then going on: nothing lost, nothing twice", async () => {
    const paths = await writeSeries("frozen", 60, 256);
    const destination = dicomwebDestination(
      dicomweb(orthanc.dicomweb, { firstDelayMs: 200, attempts: 8, idleMs: 400 }),
    );
    const storing = storeResults(destination, paths, join(folder, "frozen.jsonl"));
    await arrived(uidsOf("frozen").series, 3);
    orthanc.signal("SIGSTOP");
    await sleep(1200);
    orthanc.signal("SIGCONT");
    expect((await storing).refused).toEqual([]);
    await expectOnce("frozen", paths);
  });
});
