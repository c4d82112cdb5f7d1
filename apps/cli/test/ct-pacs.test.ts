import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dicomweb, dicomwebDestination, pacsSource, storeResults, thoraxGeometry, writePhantom } from "@camkit/medical";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Orthanc, startOrthanc } from "../../../packages/medical/test/orthanc.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { writeNetwork } from "./ct-network.ts";
import { workspace } from "./support.ts";

/** The built program, killed, and a real PACS, frozen and killed: each result arrives once. */

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const program = join(import.meta.dirname, "../dist/main.js");
const at = workspace();
const slices = 16;
/** A Parametric Map, a Segmentation, a report, a capture per slice. */
const results = 3 + slices;

describe.skipIf(withoutPeers("Orthanc"))("ct and a PACS", () => {
  let orthanc: Orthanc;
  let model: string;
  const series = new Map<number, { folder: string; study: string; series: string }>();
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    orthanc = await startOrthanc();
    model = writeNetwork(at(), "net", [1, 8, 32, 32], ["normal", "ground-glass", "consolidation"], {
      extensions: { medical: { preprocess: { kind: "lung-ct", size: [8, 32, 32] } } },
    });
    for (const seed of [11, 12, 13, 14]) {
      const { files } = await writePhantom(seed, at(`phantom-${seed}`), {
        geometry: thoraxGeometry(seed, { size: 64, slices }),
        label: "consolidation",
      });
      const listed = await ended(camkit("series", at(`phantom-${seed}`), "--json"));
      const [{ studyInstanceUid, seriesInstanceUid }] = JSON.parse(listed.stdout).series;
      series.set(seed, { folder: join(files[0]!, ".."), study: studyInstanceUid, series: seriesInstanceUid });
    }
    const source = [11, 12].flatMap((seed) => filesIn(series.get(seed)!.folder));
    await storeResults(dicomwebDestination(dicomweb(orthanc.dicomweb)), source, at("source.jsonl"));
  }, 90_000);
  afterEach(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  afterAll(() => orthanc?.close());

  function camkit(...argv: string[]) {
    // Files name the time they were made at; with it fixed, those of a second run are the first one's, byte for byte.
    const env = { ...process.env, SOURCE_DATE_EPOCH: "1780000000" };
    const child = spawn(process.execPath, [program, "ct", ...argv], { env });
    running.add(child);
    child.on("close", () => running.delete(child));
    const said = { child, stdout: "", stderr: "" };
    child.stdout.on("data", (text) => (said.stdout += text));
    child.stderr.on("data", (text) => (said.stderr += text));
    return said;
  }

  async function ended<S extends { child: ChildProcess }>(said: S): Promise<S & { code: number | null }> {
    if (said.child.exitCode === null && said.child.signalCode === null) await once(said.child, "close");
    return Object.assign(said, { code: said.child.exitCode });
  }

  const filesIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

  /** A condition that is looked at until it holds, or until the process has ended. */
  async function until(holds: () => boolean | Promise<boolean>, { child }: { child: ChildProcess }): Promise<void> {
    while (!(await holds())) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} too early`);
      await sleep(5);
    }
  }

  function journalSays(path: string, state: string): boolean {
    try {
      return readFileSync(path, "utf8").includes(`"state":"${state}"`);
    } catch {
      return false; // not there yet
    }
  }

  /** Orthanc's log: an entry whenever an instance arrived that wasn't there. */
  async function arrivals(study: string): Promise<number> {
    const ask = (path: string, body?: object) =>
      fetch(`${orthanc.rest}${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {}).then((r) => r.json());
    const { Changes } = (await ask("/changes?limit=100000")) as { Changes: { ChangeType: string; ID: string }[] };
    const query = { Level: "Instance", Query: { StudyInstanceUID: study } };
    const ours = new Set((await ask("/tools/find", query)) as string[]);
    return Changes.filter(({ ChangeType, ID }) => ChangeType === "NewInstance" && ours.has(ID)).length;
  }

  /** Each DICOM file of a run's folder is there byte for byte. */
  async function expectStored(out: string, study: string): Promise<void> {
    const { dicom } = JSON.parse(readFileSync(join(out, "result.json"), "utf8"));
    expect(dicom).toHaveLength(results);
    const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".dcm"));
    const written = files.map((name) => digest(readFileSync(join(out, name)))).sort();
    const fetched: string[] = [];
    for (const uid of new Set<string>(dicom.map((one: { seriesInstanceUid: string }) => one.seriesInstanceUid)))
      for await (const { bytes } of pacsSource(dicomweb(orthanc.dicomweb), { study, series: uid }))
        fetched.push(digest(bytes));
    expect(fetched.sort()).toEqual(written);
  }

  test("fetched and stored; killed in the middle of it and begun again, every result is there once", async () => {
    const { study, series: uid } = series.get(11)!;
    const argv = ["--dicomweb", orthanc.dicomweb, "--study", study, "--series", uid, "--store", "--model", model];
    const run = () =>
      camkit(...argv, "--metrics", "none", "--outputs", "pm,seg,sc,sr", "--out", at("killed"), "--json");
    const first = run();
    await until(() => journalSays(at("killed/stored.jsonl"), "sending"), first);
    first.child.kill("SIGKILL");
    expect((await ended(first)).code).toBeNull();
    const second = await ended(run());
    expect([second.code, second.stderr]).toEqual([0, ""]);
    const { stored } = JSON.parse(second.stdout);
    expect(stored.stored.length + stored.present.length).toBe(results);
    const third = JSON.parse((await ended(run())).stdout);
    expect([third.stored.stored.length, third.stored.present.length]).toEqual([0, results]);
    expect(await arrivals(study)).toBe(slices + results);
    await expectStored(at("killed"), study);
  }, 60_000);

  test("the PACS killed in the middle of a store, and started again: the same run goes on", async () => {
    const { study, series: uid } = series.get(12)!;
    const argv = ["--dicomweb", orthanc.dicomweb, "--study", study, "--series", uid, "--store", "--model", model];
    const run = camkit(...argv, "--metrics", "none", "--outputs", "pm,seg,sc,sr", "--out", at("away"), "--json");
    await until(() => journalSays(at("away/stored.jsonl"), "sending"), run);
    await orthanc.kill();
    await orthanc.start();
    expect([(await ended(run)).code, run.stderr]).toEqual([0, ""]);
    expect(await arrivals(study)).toBe(slices + results);
    await expectStored(at("away"), study);
  }, 60_000);

  test("watch, killed at its first map and in its first store: each series once", async () => {
    mkdirSync(at("inbox"));
    for (const seed of [13, 14]) renameSync(series.get(seed)!.folder, at("inbox", String(seed)));
    const argv = ["watch", at("inbox"), "--state", at("state"), "--settle", "0.2", "--model", model];
    const options = ["--metrics", "none", "--outputs", "pm,seg,sc,sr", "--dicomweb", orthanc.dicomweb, "--store"];
    const start = () => camkit(...argv, ...options, "--json");
    const out = (seed: number) => at("state/series", series.get(seed)!.series);
    const isBegun = (file: string) => [13, 14].some((seed) => existsIn(out(seed), file));
    const first = start();
    await until(() => isBegun("map.pm.dcm"), first);
    first.child.kill("SIGKILL");
    await ended(first);
    const second = start();
    await until(() => [13, 14].some((seed) => journalSays(join(out(seed), "stored.jsonl"), "sending")), second);
    second.child.kill("SIGKILL");
    await ended(second);
    const third = start();
    await until(() => third.stderr.split(": done\n").length === 3, third);
    await sleep(500); // time to begin one again, if it would
    third.child.kill("SIGTERM");
    expect((await ended(third)).code).toBe(0);
    expect(JSON.parse(third.stdout).processed).toHaveLength(2);
    for (const seed of [13, 14]) {
      expect(await arrivals(series.get(seed)!.study)).toBe(results);
      await expectStored(out(seed), series.get(seed)!.study);
    }
  }, 60_000);

  const existsIn = (folder: string, file: string) => {
    try {
      return readdirSync(folder).includes(file);
    } catch {
      return false; // not there yet
    }
  };
});
