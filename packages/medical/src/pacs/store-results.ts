import { setTimeout as sleep } from "node:timers/promises";
import { DicomError, PacsUnreachableError } from "../errors.ts";
import type { Destination } from "./destination.ts";
import { type InstanceFile, readHead } from "./head.ts";
import { appendJournal, readJournal } from "./journal.ts";

/** What became of the files, by path. */
export type Stored = {
  readonly stored: readonly string[];
  /** Were there before. */
  readonly present: readonly string[];
  readonly refused: readonly { readonly path: string; readonly sopInstanceUid: string; readonly reason: string }[];
  /** Were stored, but not quite as they were sent. */
  readonly warnings: readonly { readonly path: string; readonly sopInstanceUid: string; readonly reason: string }[];
};

/** A line of the journal: that an instance is about to be sent, or what became of it. */
type Entry = {
  readonly time: string;
  readonly to: string;
  readonly sopInstanceUid: string;
  readonly state: "sending" | "stored" | "present" | "refused";
  readonly reason?: string;
};

const batchBytes = 2 ** 25;
const batchFiles = 64;
/** How long a PACS may go on with what it received whole, after the connection is gone. */
const lingeringMs = 2000;

/**
 * Stores files at a destination so that none is lost and none stored twice, whenever either side is stopped: before anything is
 * sent, and after every failure, the destination is asked what it has. `journal`, a file of JSON lines, records what was begun
 * and what arrived; a destination that can't be asked is judged by it. Files that the PACS refuses are returned with its
 * reasons, the others are stored nevertheless.
 * Throws DicomError and FileError on files, PacsError when the PACS refuses altogether, PacsUnreachableError when it stays away:
 * calling again then goes on.
 */
export async function storeResults(
  destination: Destination,
  paths: readonly string[],
  journal: string,
): Promise<Stored> {
  const files = await identified(paths);
  const { name: to } = destination;
  const write = (state: Entry["state"], batch: readonly { sopInstanceUid: string; reason?: string }[]) =>
    appendJournal(
      journal,
      batch.map(({ sopInstanceUid, reason }): Entry => {
        const time = new Date().toISOString();
        return { time, to, sopInstanceUid, state, ...(reason === undefined ? {} : { reason }) };
      }),
    );

  const before = (await readJournal<Entry>(journal)).filter((entry) => entry.to === to);
  const arrived = new Set(before.filter(isThere).map((entry) => entry.sopInstanceUid));
  await settled(before);

  /** Parts files by whether they are there. */
  const ask = async (asked: readonly InstanceFile[]) => {
    const found = (await destination.present(asked)) ?? arrived;
    const has = (file: InstanceFile) => found.has(file.sopInstanceUid);
    return { there: asked.filter(has), missing: asked.filter((file) => !has(file)) };
  };

  const { there, missing } = await ask(files);
  const news = there.filter((file) => !arrived.has(file.sopInstanceUid));
  if (news.length > 0) await write("present", news);
  const result = { stored: [] as string[], present: there.map(({ path }) => path), refused: [], warnings: [] } as {
    -readonly [key in keyof Stored]: Stored[key][number][];
  };
  for (const batch of batches(missing)) await store(batch);
  return result;

  async function store(batch: readonly InstanceFile[]): Promise<void> {
    let left = batch;
    for (let attempt = 1; left.length > 0; attempt++) {
      await write("sending", left);
      try {
        const outcomes = await destination.send(left);
        const byUid = new Map(outcomes.map((outcome) => [outcome.sopInstanceUid, outcome]));
        const by = (wanted: string) => left.filter((file) => byUid.get(file.sopInstanceUid)?.result === wanted);
        const unclear = await (by("unknown").length > 0 ? ask(by("unknown")) : { there: [], missing: [] });
        const reasonOf = (file: InstanceFile) => byUid.get(file.sopInstanceUid)?.reason;
        await close("stored", [...by("stored"), ...unclear.there], reasonOf);
        await close("refused", by("refused"), reasonOf);
        await close("refused", unclear.missing, () => "the PACS took the request, but doesn't have the instance");
        return;
      } catch (error) {
        if (!(error instanceof PacsUnreachableError) || attempt >= destination.attempts) throw error;
        await destination.pause(attempt);
        const after = await ask(left);
        await close("stored", after.there, () => undefined);
        left = after.missing;
      }
    }
  }

  async function close(
    state: "stored" | "refused",
    closed: readonly InstanceFile[],
    reasonOf: (file: InstanceFile) => string | undefined,
  ): Promise<void> {
    if (closed.length === 0) return;
    const said = closed.map((file) => ({ ...file, reason: reasonOf(file) }));
    await write(
      state,
      said.map(({ sopInstanceUid, reason }) => ({ sopInstanceUid, ...(reason === undefined ? {} : { reason }) })),
    );
    for (const { path, sopInstanceUid, reason } of said) {
      if (state === "stored") result.stored.push(path);
      else result.refused.push({ path, sopInstanceUid, reason: reason ?? "refused without a reason" });
      if (state === "stored" && reason !== undefined) result.warnings.push({ path, sopInstanceUid, reason });
      if (state === "stored") arrived.add(sopInstanceUid);
    }
  }
}

const isThere = ({ state }: Entry) => state === "stored" || state === "present";

/** What each file is, read one after the other. Two files of one SOP Instance UID are refused: one would be lost. */
async function identified(paths: readonly string[]): Promise<readonly InstanceFile[]> {
  const files = new Map<string, InstanceFile>();
  for (const path of paths) {
    const file = await readHead(path);
    const twin = files.get(file.sopInstanceUid);
    if (twin) throw new DicomError(path, `has the SOP Instance UID of ${twin.path}, ${file.sopInstanceUid}`);
    files.set(file.sopInstanceUid, file);
  }
  return [...files.values()];
}

/** Waits until what a killed process sent has been dealt with at the other side. */
async function settled(entries: readonly Entry[]): Promise<void> {
  const last = new Map(entries.map((entry) => [entry.sopInstanceUid, entry]));
  const begun = [...last.values()].filter(({ state }) => state === "sending").map(({ time }) => Date.parse(time));
  const waitMs = Math.max(...begun, Number.NEGATIVE_INFINITY) + lingeringMs - Date.now();
  if (waitMs > 0) await sleep(Math.min(waitMs, lingeringMs));
}

/** Files in the order given, so many at a time that a request is worth its way and a failure costs little. */
function* batches(files: readonly InstanceFile[]): Generator<readonly InstanceFile[]> {
  let batch: InstanceFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length === batchFiles || (batch.length > 0 && bytes + file.size > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.size;
  }
  if (batch.length > 0) yield batch;
}
