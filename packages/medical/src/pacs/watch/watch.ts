import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { derivedUid, isUid } from "../../dicom/uids.ts";
import { PacsUnreachableError } from "../../errors.ts";
import type { PacsInstance } from "../source.ts";
import type { Arrival, WatchSource } from "./arrival.ts";
import { type Fate, openLedger } from "./ledger.ts";
import { lockFolder } from "./lock.ts";
import { settling } from "./settling.ts";

/** A series whose turn it is. */
export type WatchedSeries = {
  readonly study: string;
  readonly series: string;
  /** Instances. */
  readonly count: number;
  instances(): AsyncIterable<PacsInstance>;
  /** For its outputs and their journal: the same folder when it has to be begun again. Not made yet. */
  readonly folder: string;
  /** 1 the first time; more after a failure, or when the process was killed. */
  readonly attempt: number;
};

export type WatchEvent =
  | { readonly kind: "begun" | "done"; readonly study: string; readonly series: string; readonly attempt: number }
  | {
      /** `deferred`: the PACS was away; it is tried again however often. `failed`: tried again up to `attempts` times. */
      readonly kind: "failed" | "deferred";
      readonly study: string;
      readonly series: string;
      readonly attempt: number;
      readonly error: unknown;
      readonly final: boolean;
    }
  /** Instances came when the series was done already. It isn't processed again. */
  | {
      readonly kind: "grown";
      readonly study: string;
      readonly series: string;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: "stray"; readonly name: string; readonly reason: string }
  /** The source couldn't be looked at this time. */
  | { readonly kind: "away"; readonly error: unknown };

export type WatchOptions = {
  readonly source: WatchSource;
  /** A folder for the journal, the lock, and the series' folders. */
  readonly state: string;
  /** A series is complete when nothing arrived for so long. Default: half a minute. */
  readonly settleMs?: number;
  /** How often a series may fail. Default: 3. */
  readonly attempts?: number;
  readonly signal: AbortSignal;
  readonly process: (series: WatchedSeries) => Promise<void>;
  readonly onEvent?: (event: WatchEvent) => void;
};

/**
 * Processes each series that is or arrives at a source, one at a time, once: what is done is recorded, and stays done after a
 * restart. A series whose processing was cut short, by whatever, is begun again, after those that never were; so what `process`
 * does has to come out the same the second time (UIDs are derived, `storeResults` asks first).
 * Ends when `signal` says so. Throws WatchLockedError when another watches with this state, and what the source throws when it
 * can't be looked at from the start, unless it is merely away.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { source, settleMs = 30_000, attempts = 3, signal, process, onEvent = () => {} } = options;
  const state = resolve(options.state);
  const unlock = await lockFolder(state);
  try {
    const ledger = await openLedger(state);
    const settled = settling(settleMs);
    const grown = new Map<string, number>();
    for (let polls = 0; !signal.aborted; polls++) {
      const due = await look(polls === 0);
      const next = due.sort((a, b) => begunOf(a) - begunOf(b))[0];
      if (next) await run(next);
      else await sleep(settleMs / 2, undefined, { signal }).catch(() => {});
    }

    function begunOf(arrival: Arrival): number {
      return ledger.fateOf(keyOf(arrival))?.begun ?? 0;
    }

    /** The series that may be processed now. */
    async function look(first: boolean): Promise<Arrival[]> {
      const found = await source.poll(state).catch((error: unknown) => {
        if (first && !(error instanceof PacsUnreachableError)) throw error;
        onEvent({ kind: "away", error });
        return undefined;
      });
      if (found === undefined) return [];
      const marks = [
        ...found.series.map((arrival) => [keyOf(arrival), arrival.fingerprint] as const),
        ...found.strays.map(({ name, fingerprint }) => [name, fingerprint] as const),
      ];
      const { complete, fresh } = settled(marks);
      for (const { name, reason } of found.strays) if (fresh.has(name)) onEvent({ kind: "stray", name, reason });
      return found.series.filter((arrival) => {
        const fate = ledger.fateOf(keyOf(arrival));
        if (fate?.state === "done") sayGrown(arrival, fate);
        return complete.has(keyOf(arrival)) && isDue(fate);
      });
    }

    function isDue(fate: Fate | undefined): boolean {
      if (fate === undefined || fate.state === "claimed") return true;
      return (
        fate.state === "failed" && fate.failures < attempts && Date.now() >= fate.at + settleMs * 2 ** fate.failures
      );
    }

    function sayGrown({ study, series, count, ...arrival }: Arrival, fate: Fate): void {
      const key = keyOf({ study, series, count, ...arrival });
      const from = grown.get(key) ?? fate.count;
      if (count === from) return;
      grown.set(key, count);
      onEvent({ kind: "grown", study, series, from, to: count });
    }

    async function run(arrival: Arrival): Promise<void> {
      const { study, series, count } = arrival;
      const key = keyOf(arrival);
      await ledger.record(key, "claimed", count);
      const { begun: attempt, failures } = ledger.fateOf(key)!;
      onEvent({ kind: "begun", study, series, attempt });
      const folder = join(state, "series", isUid(series) ? series : derivedUid(study, series));
      try {
        await process({ study, series, count, instances: () => arrival.instances(), folder, attempt });
      } catch (error) {
        if (signal.aborted) return; // cut short, not failed
        const away = error instanceof PacsUnreachableError;
        const final = !away && failures + 1 >= attempts;
        await ledger.record(key, away ? "deferred" : "failed", count, String(error));
        onEvent({ kind: away ? "deferred" : "failed", study, series, attempt, error, final });
        if (away) await sleep(settleMs, undefined, { signal }).catch(() => {});
        return;
      }
      await ledger.record(key, "done", count);
      onEvent({ kind: "done", study, series, attempt });
    }
  } finally {
    await unlock();
  }
}

const keyOf = ({ study, series }: Arrival) => `${study}/${series}`;
