import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tinyPacs } from "../../../test/tiny-pacs.ts";
import { PacsUnreachableError } from "../../errors.ts";
import { ctImageStorage } from "../../write/ct-series.ts";
import { part10 } from "../../write/part10.ts";
import { dicomweb } from "../client.ts";
import { headOfBytes } from "../head.ts";
import type { WatchSource } from "./arrival.ts";
import { folderSource } from "./folder.ts";
import { lockFolder } from "./lock.ts";
import { pacsSeriesSource } from "./pacs.ts";
import { type WatchEvent, type WatchOptions, watch } from "./watch.ts";

let root: string;
let inbox: string;
let state: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "camkit-watch-"));
  inbox = join(root, "inbox");
  state = join(root, "state");
  await mkdir(inbox);
});
afterEach(() => rmSync(root, { recursive: true }));

const instance = (series: string, k: number, sopClass = ctImageStorage) =>
  part10({
    SOPClassUID: sopClass,
    SOPInstanceUID: `${series}.${k}`,
    Modality: "CT",
    StudyInstanceUID: "1.2",
    SeriesInstanceUID: series,
  });
const arrive = (series: string, k: number, sopClass?: string) =>
  writeFile(join(inbox, `${series}-${k}`), instance(series, k, sopClass));

const settleMs = 120;
/** Between arrivals: far less, also on a busy machine. */
const stepMs = settleMs / 6;

/** A watch that runs until `until` is true of its events, and a little longer. */
async function watched(until: (events: WatchEvent[]) => boolean, options: Partial<WatchOptions> = {}) {
  const events: WatchEvent[] = [];
  const done = new AbortController();
  const giveUp = setTimeout(() => done.abort(), 5000);
  const processed: string[] = [];
  await watch({
    source: folderSource(inbox),
    state,
    settleMs,
    signal: done.signal,
    process: async ({ series, count, instances, attempt }) => {
      let read = 0;
      for await (const { bytes } of instances()) if (headOfBytes(bytes, "").seriesInstanceUid === series) read++;
      processed.push(`${series}: ${read} of ${count}, attempt ${attempt}`);
    },
    ...options,
    onEvent: (event) => {
      events.push(event);
      if (until(events)) setTimeout(() => done.abort(), 2.5 * settleMs);
    },
  });
  clearTimeout(giveUp);
  return { events, processed, kinds: events.map(({ kind }) => kind) };
}
const count = (kind: WatchEvent["kind"], n: number) => (events: WatchEvent[]) =>
  events.filter((event) => event.kind === kind).length >= n;

test("series are processed once, when they are complete, and not again after a restart", async () => {
  await arrive("1.2.3", 1);
  await mkdir(join(inbox, "deep/er"), { recursive: true });
  await writeFile(join(inbox, "deep/er/x"), instance("1.2.4", 1));
  const filling = (async () => {
    for (let k = 2; k <= 12; k++) {
      await sleep(stepMs);
      await arrive("1.2.3", k);
    }
  })();
  const first = await watched(count("done", 2));
  await filling;
  expect(first.processed.sort()).toEqual(["1.2.3: 12 of 12, attempt 1", "1.2.4: 1 of 1, attempt 1"]);
  await arrive("1.2.5", 1);
  expect((await watched(count("done", 1))).processed).toEqual(["1.2.5: 1 of 1, attempt 1"]);
});

test("a file that grows keeps its series from being complete; one being written isn't looked at", async () => {
  const whole = instance("1.2.3", 1);
  const path = join(inbox, "copying");
  const copying = (async () => {
    for (let part = 1; part <= 10; part++) {
      await writeFile(path, whole.subarray(0, Math.ceil((whole.length * part) / 10)));
      await sleep(stepMs);
    }
  })();
  await writeFile(join(inbox, ".hidden.part"), whole.subarray(0, 200));
  const { events, processed } = await watched(count("done", 1));
  await copying;
  expect(processed).toEqual(["1.2.3: 1 of 1, attempt 1"]);
  expect(events.filter(({ kind }) => kind === "stray")).toEqual([]);
});

test("what fails is tried again, so often and not more, also across restarts", async () => {
  await arrive("1.2.3", 1);
  const tried: number[] = [];
  const failing = async ({ attempt }: { attempt: number }) => {
    tried.push(attempt);
    throw new Error("no lungs");
  };
  const first = await watched(count("failed", 1), { process: failing });
  expect(first.events[1]).toMatchObject({ kind: "failed", attempt: 1, final: false, error: new Error("no lungs") });
  const second = await watched(count("failed", 3 - tried.length), { process: failing });
  expect(second.events.at(-1)).toMatchObject({ kind: "failed", attempt: 3, final: true });
  setTimeout(() => arrive("1.2.4", 1), 50);
  expect((await watched(count("done", 1))).processed).toEqual(["1.2.4: 1 of 1, attempt 1"]);
  expect(tried).toEqual([1, 2, 3]);
});

test("while the PACS for the results is away, a series is put off, however often", async () => {
  await arrive("1.2.3", 1);
  let times = 0;
  const { kinds } = await watched(count("done", 1), {
    attempts: 1,
    process: async () => {
      if (++times < 4) throw new PacsUnreachableError("http://pacs", "nothing listens there");
    },
  });
  expect(kinds.filter((kind) => kind !== "begun")).toEqual(["deferred", "deferred", "deferred", "done"]);
});

test("a series that was cut short is begun again, after those that never were", async () => {
  await arrive("1.2.3", 1);
  const stop = new AbortController();
  await watch({
    source: folderSource(inbox),
    state,
    settleMs,
    signal: stop.signal,
    process: async () => {
      stop.abort();
      throw new Error("interrupted");
    },
  });
  await arrive("1.2.4", 1);
  const { processed } = await watched(count("done", 2));
  expect(processed).toEqual(["1.2.4: 1 of 1, attempt 1", "1.2.3: 1 of 1, attempt 2"]);
});

test("what comes too late, and what is no DICOM, is said once", async () => {
  await arrive("1.2.3", 1);
  await writeFile(join(inbox, "readme.txt"), "hello");
  setTimeout(() => arrive("1.2.3", 2), 6 * settleMs);
  const { events, processed } = await watched(count("grown", 1));
  expect(processed).toEqual(["1.2.3: 1 of 1, attempt 1"]);
  expect(events.filter(({ kind }) => kind === "grown")).toMatchObject([{ series: "1.2.3", from: 1, to: 2 }]);
  expect(events.filter(({ kind }) => kind === "stray")).toMatchObject([{ name: join(inbox, "readme.txt") }]);
});

test("results start nothing, wherever they are stored; neither does the state folder", async () => {
  state = join(inbox, "state");
  await mkdir(join(state, "series/1.2.9"), { recursive: true });
  await writeFile(join(state, "series/1.2.9/ct"), instance("1.2.9", 1));
  await arrive("1.2.3", 1, "1.2.840.10008.5.1.4.1.1.30"); // Parametric Map
  await arrive("1.2.4", 1);
  const { processed, kinds } = await watched(count("done", 1));
  expect(processed).toEqual(["1.2.4: 1 of 1, attempt 1"]);
  expect(kinds).toEqual(["begun", "done"]);
});

test("a folder that goes away and comes back; one that was never there", async () => {
  await arrive("1.2.3", 1);
  const away = join(root, "away");
  const inner = folderSource(inbox);
  let polls = 0;
  const source: WatchSource = {
    ...inner,
    async poll(except) {
      const found = await inner.poll(except);
      if (++polls > 1) return found;
      await rename(inbox, away);
      setTimeout(() => rename(away, inbox), 4 * settleMs);
      return found;
    },
  };
  const { processed, kinds } = await watched(count("done", 1), { source });
  expect(kinds).toContain("away");
  expect(processed).toEqual(["1.2.3: 1 of 1, attempt 1"]);
  const nowhere = folderSource(join(root, "nowhere"));
  await expect(watched(() => true, { source: nowhere })).rejects.toMatchObject({ code: "file" });
  expect((await readdir(state)).filter((name) => name.includes("lock"))).toEqual([]);
});

test("series of a PACS, complete when their number stays the same", async () => {
  const pacs = await tinyPacs();
  const hold = (series: string, k: number, sopClass?: string) => {
    const bytes = Buffer.from(instance(series, k, sopClass));
    pacs.held.set(`${series}.${k}`, { ...headOfBytes(bytes, "a test"), bytes, times: 1 });
  };
  hold("1.2.4", 1, "1.2.840.10008.5.1.4.1.1.7"); // Secondary Capture
  const filling = (async () => {
    for (let k = 1; k <= 10; k++) {
      hold("1.2.3", k);
      await sleep(stepMs);
    }
  })();
  const source = pacsSeriesSource(dicomweb(pacs.url));
  expect((await watched(count("done", 1), { source })).processed).toEqual(["1.2.3: 10 of 10, attempt 1"]);
  expect((await watched(() => false, { source, signal: AbortSignal.timeout(4 * settleMs) })).processed).toEqual([]);
  await filling;
  await pacs.close();
});

test("one watcher at a time: a living one's folder is refused, a dead one's taken over", async () => {
  const unlock = await lockFolder(state);
  await expect(watched(() => true)).rejects.toMatchObject({
    code: "watch-locked",
    message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
  });
  await unlock();
  const lock = (holder: object) => writeFileSync(join(state, "lock.7.json"), JSON.stringify(holder));
  const dead = { pid: 2 ** 22 + 1, host: hostname(), started: "1", since: "yesterday" };
  lock(dead);
  await (await lockFolder(state))();
  lock({ ...dead, pid: process.pid }); // the number was given to another process since
  await (await lockFolder(state))();
  lock({ ...dead, host: "elsewhere" });
  await expect(lockFolder(state)).rejects.toMatchObject({ hint: expect.stringContaining("delete") });
});

test("of many that find a dead one's lock, one gets it", async () => {
  await mkdir(state);
  writeFileSync(join(state, "lock.7.json"), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since: "yesterday" }));
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(state)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(state)).toEqual(["lock.8.json"]);
});
