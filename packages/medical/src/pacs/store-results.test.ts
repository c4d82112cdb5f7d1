import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TinyPacs, tinyPacs } from "../../test/tiny-pacs.ts";
import { ctImageStorage } from "../write/ct-series.ts";
import { part10 } from "../write/part10.ts";
import { dicomweb } from "./client.ts";
import { type Destination, dicomwebDestination } from "./destination.ts";
import { readHead } from "./head.ts";
import { readJournal } from "./journal.ts";
import { storeResults } from "./store-results.ts";

let pacs: TinyPacs;
let folder: string;
let destination: Destination;
let journal: string;
beforeEach(async () => {
  pacs = await tinyPacs();
  folder = mkdtempSync(join(tmpdir(), "camkit-store-"));
  journal = join(folder, "stored.jsonl");
  destination = dicomwebDestination(dicomweb(pacs.url, { firstDelayMs: 5, attempts: 4 }));
});
afterEach(async () => {
  await pacs.close();
  rmSync(folder, { recursive: true });
});

/** Files of one series; `extra` attributes come before the UIDs that are read. */
async function files(count: number, extra: object = {}): Promise<string[]> {
  const paths: string[] = [];
  for (let k = 1; k <= count; k++) {
    const uids = { StudyInstanceUID: "1.2.3", SeriesInstanceUID: "1.2.3.4", SOPInstanceUID: `1.2.3.4.${k}` };
    const path = join(folder, `${k}.dcm`);
    await writeFile(path, part10({ ...uids, SOPClassUID: ctImageStorage, Modality: "CT", ...extra }));
    paths.push(path);
  }
  return paths;
}

const posts = () => pacs.requests.filter((request) => request.startsWith("POST")).length;
const times = () => [...pacs.held.values()].map((one) => one.times);
const states = async () => {
  const counts: Record<string, number> = {};
  for (const { state } of await readJournal<{ state: string }>(journal)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
};

test("what arrives is what was sent; the journal says so", async () => {
  const paths = await files(3);
  expect((await storeResults(destination, paths, journal)).stored).toEqual(paths);
  for (const [k, path] of paths.entries()) expect(pacs.held.get(`1.2.3.4.${k + 1}`)!.bytes).toEqual(readFileSync(path));
  expect(await states()).toEqual({ sending: 3, stored: 3 });
});

test("many files go in requests of at most 64", async () => {
  const paths = await files(130);
  expect((await storeResults(destination, paths, journal)).stored).toHaveLength(130);
  expect(posts()).toBe(3);
});

test("a connection cut while sending: what arrived isn't sent again, the rest is", async () => {
  const paths = await files(4);
  let cut = false;
  pacs.misbehave = (request, response, body) => {
    if (request.method !== "POST" || cut) return false;
    cut = true;
    // The first two parts were received whole, and the answer never left.
    const boundary = /boundary=(\S+)/.exec(request.headers["content-type"]!)![1]!;
    for (let k = 1; k <= 2; k++) {
      const start = body.indexOf(Buffer.from("\r\n\r\n"), nth(body, `--${boundary}`, k)) + 4;
      const bytes = body.subarray(start, body.indexOf(`\r\n--${boundary}`, start));
      const [sopInstanceUid, seriesInstanceUid, studyInstanceUid] = [`1.2.3.4.${k}`, "1.2.3.4", "1.2.3"];
      const head = { sopInstanceUid, seriesInstanceUid, studyInstanceUid, sopClassUid: "", modality: "CT" };
      pacs.held.set(sopInstanceUid, { ...head, transferSyntaxUid: "", bytes, times: 1 });
    }
    response.destroy();
    return true;
  };
  expect((await storeResults(destination, paths, journal)).stored).toEqual(paths);
  expect(times()).toEqual([1, 1, 1, 1]);
  expect(posts()).toBe(2);
  expect(await states()).toEqual({ sending: 4 + 2, stored: 4 });
});

function nth(body: Buffer, text: string, n: number): number {
  let at = -1;
  for (let i = 0; i < n; i++) at = body.indexOf(text, at + 1);
  return at;
}

test("a journal that ends in half a line, after a process was killed", async () => {
  const paths = await files(2);
  await storeResults(destination, paths.slice(0, 1), journal);
  appendFileSync(journal, '{"time":"2026-01-01T00:00:00.000Z","to":"http://so');
  expect(await storeResults(destination, paths, journal)).toMatchObject({ stored: [paths[1]], present: [paths[0]] });
  expect(await states()).toEqual({ sending: 2, stored: 2 });
  expect(times()).toEqual([1, 1]);
});

test("sent by a process that was killed, and dealt with later: waited for", async () => {
  const paths = await files(1);
  const entry = { time: new Date().toISOString(), to: destination.name, sopInstanceUid: "1.2.3.4.1", state: "sending" };
  appendFileSync(journal, `${JSON.stringify(entry)}\n`);
  setTimeout(() => storeResults(destination, paths, join(folder, "other.jsonl")), 100);
  expect(await storeResults(destination, paths, journal)).toMatchObject({ stored: [], present: paths });
  expect(times()).toEqual([1]);
});

test("refused instances are returned with the reason, the others stored", async () => {
  const paths = await files(5);
  const failed = (uid: string, reason?: number) => ({
    "00081155": { vr: "UI", Value: [uid] },
    ...(reason === undefined ? {} : { "00081197": { vr: "US", Value: [reason] } }),
  });
  pacs.misbehave = (request, response) => {
    if (request.method !== "POST") return false;
    const refusals = [
      failed("1.2.3.4.1", 0x0122),
      failed("1.2.3.4.2", 0xa9ff),
      failed("1.2.3.4.3"),
      failed("1.2.3.4.4", 0x0111),
    ];
    const stored = { ...failed("1.2.3.4.5"), "00081196": { vr: "US", Value: [0xb000] } };
    const content = { "00081198": { vr: "SQ", Value: refusals }, "00081199": { vr: "SQ", Value: [stored] } };
    response.writeHead(202, { "Content-Type": "application/dicom+json" }).end(JSON.stringify(content));
    return true;
  };
  const { stored, refused, warnings } = await storeResults(destination, paths, journal);
  expect(stored).toEqual([paths[3], paths[4]]); // one was there already: what was wanted
  expect(refused.map(({ path, reason }) => [path, reason])).toEqual([
    [paths[0], "the PACS doesn't take this SOP class (0122H)"],
    [paths[1], "the data set doesn't match its SOP class (A9FFH)"],
    [paths[2], "refused without a reason"],
  ]);
  expect(warnings).toMatchObject([{ path: paths[4], reason: "the PACS changed attributes (B000H)" }]);
});

test("an answer that doesn't say is checked by asking", async () => {
  const paths = await files(2);
  pacs.misbehave = async (request, response) => {
    if (request.method !== "POST") return false;
    const bytes = readFileSync(paths[0]!);
    pacs.held.set("1.2.3.4.1", { ...(await readHead(paths[0]!)), bytes, times: 1 });
    response.writeHead(200, { "Content-Type": "application/dicom+xml" }).end("<NativeDicomModel/>");
    return true;
  };
  const { stored, refused } = await storeResults(destination, paths, journal);
  expect(stored).toEqual([paths[0]]);
  expect(refused).toMatchObject([{ reason: "the PACS took the request, but doesn't have the instance" }]);
});

test("a PACS that can't be asked is judged by the journal", async () => {
  const paths = await files(3);
  const silent = { ...destination, present: async () => undefined };
  await storeResults(silent, paths.slice(0, 2), journal);
  expect(await storeResults(silent, paths, journal)).toMatchObject({ stored: [paths[2]], present: paths.slice(0, 2) });
  expect(times()).toEqual([1, 1, 1]);
});

test("two files of one instance are refused: one would be lost", async () => {
  const [first] = await files(1);
  const twin = join(folder, "twin.dcm");
  await writeFile(twin, readFileSync(first!));
  await expect(storeResults(destination, [first!, twin], journal)).rejects.toThrow(
    /twin.dcm: has the SOP Instance UID of .*1.dcm, 1.2.3.4.1/,
  );
  expect(posts()).toBe(0);
});

test("UIDs are found behind long sequences, and not mistaken for those inside of them", async () => {
  const other = { ReferencedSOPClassUID: ctImageStorage, ReferencedSOPInstanceUID: "9.9.9" };
  const inside = Array.from({ length: 2000 }, () => other);
  const [path] = await files(1, {
    ReferencedSeriesSequence: [{ SeriesInstanceUID: "9.9", ReferencedInstanceSequence: inside }],
  });
  const head = await readHead(path!);
  expect(head.size).toBeGreaterThan(65_536);
  expect(head).toMatchObject({ seriesInstanceUid: "1.2.3.4", studyInstanceUid: "1.2.3", sopInstanceUid: "1.2.3.4.1" });
});
