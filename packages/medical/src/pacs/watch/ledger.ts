import { join } from "node:path";
import { appendJournal, readJournal } from "../journal.ts";

/** What became of a series so far. */
export type Fate = {
  /** `claimed` when its processing began and no end was recorded: running, or killed. */
  readonly state: "claimed" | "done" | "failed";
  /** How often it was begun, and how often that failed. */
  readonly begun: number;
  readonly failures: number;
  /** Instances it had then. */
  readonly count: number;
  /** When the state was recorded, ms since 1970. */
  readonly at: number;
};

type Entry = {
  readonly time: string;
  readonly key: string;
  readonly state: "claimed" | "done" | "failed" | "deferred";
  readonly count: number;
  readonly error?: string;
};

/** The state folder's journal: each series' fate, and how it is recorded. What is recorded is on the disk. */
export async function openLedger(folder: string) {
  const path = join(folder, "watch.jsonl");
  const fates = new Map<string, Fate>();
  const apply = ({ key, state, count, time }: Entry) => {
    const { begun, failures } = fates.get(key) ?? { begun: 0, failures: 0 };
    fates.set(key, {
      // What was put off is as if it had been cut short.
      state: state === "deferred" ? "claimed" : state,
      begun: begun + (state === "claimed" ? 1 : 0),
      failures: failures + (state === "failed" ? 1 : 0),
      count,
      at: Date.parse(time),
    });
  };
  for (const entry of await readJournal<Entry>(path)) apply(entry);
  return {
    fateOf: (key: string): Fate | undefined => fates.get(key),
    async record(key: string, state: Entry["state"], count: number, error?: string): Promise<void> {
      const time = new Date().toISOString();
      const entry: Entry = { time, key, state, count, ...(error === undefined ? {} : { error }) };
      await appendJournal(path, [entry]);
      apply(entry);
    },
  };
}
