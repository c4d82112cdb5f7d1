import { Worker } from "node:worker_threads";
import { AbortedError } from "@camkit/cam-core/data";
import { DataError, WorkerError } from "../errors.ts";
import { type Batch, type Job, openMaker, type Plan } from "./batch.ts";
import type { Answer, Request } from "./worker.ts";

/** Whoever makes batches. */
export type Pool = {
  /** Rejects with DataError naming the sample, WorkerError, or AbortedError when the pool is closed meanwhile. */
  make(job: Job): Promise<Batch>;
  /** Ends at once; batches in the making are given up. */
  close(): Promise<void>;
};

/** The built file, also when this one runs from source in a test: Node 20 reads no TypeScript. */
const entry = new URL("../../dist/data/worker.js", import.meta.url);

type Hand = { readonly worker: Worker; readonly waiting: Map<number, Waiting>; failure?: Error };
type Waiting = { resolve: (batch: Batch) => void; reject: (cause: Error) => void };

/** `count` threads; each works through what it was given in turn, the next batch goes to the one with the least to do. */
export function startPool(count: number, plan: Plan): Pool {
  const hands = Array.from({ length: count }, () => startHand(plan));
  let ids = 0;
  return {
    make(job) {
      const hand = hands.reduce((least, other) => (other.waiting.size < least.waiting.size ? other : least));
      return new Promise((resolve, reject) => {
        if (hand.failure) return reject(hand.failure);
        const id = ids++;
        hand.waiting.set(id, { resolve, reject });
        hand.worker.ref();
        hand.worker.postMessage({ ...job, id } satisfies Request);
      });
    },
    async close() {
      for (const hand of hands) fail(hand, new AbortedError());
      await Promise.all(hands.map(({ worker }) => worker.terminate()));
    },
  };
}

function startHand(plan: Plan): Hand {
  // The process's own flags (--input-type, --test) would be taken for the worker's.
  const worker = new Worker(entry, { workerData: plan, execArgv: [] });
  const hand: Hand = { worker, waiting: new Map() };
  worker.on("message", (answer: Answer) => {
    if (hand.failure) return; // it is being ended, and the process waits for that
    const waiting = hand.waiting.get(answer.id);
    hand.waiting.delete(answer.id);
    if (hand.waiting.size === 0) worker.unref();
    if ("batch" in answer) waiting?.resolve(answer.batch);
    else waiting?.reject(new DataError(answer.error.message, answer.error.hint ? { hint: answer.error.hint } : {}));
  });
  worker.on("error", (cause) =>
    fail(hand, new WorkerError(`a thread that makes batches failed: ${cause.message}`, { cause })),
  );
  // A process may end with idle workers; it waits for one that has something to do. After the listeners: the first one refs.
  worker.unref();
  worker.on("exit", (code) => fail(hand, new WorkerError(`a thread that makes batches ended with code ${code}`)));
  return hand;
}

/** The first failure is the one to report. */
function fail(hand: Hand, failure: Error): void {
  hand.failure ??= failure;
  for (const { reject } of hand.waiting.values()) reject(hand.failure);
  hand.waiting.clear();
}

/** The same in the calling thread: nothing is made ahead while that thread computes. */
export function inThisThread(plan: Plan): Pool {
  const opened = openMaker(plan);
  opened.catch(() => {}); // the first batch reports it
  let closed = false;
  return {
    async make(job) {
      const make = await opened;
      if (closed) throw new AbortedError();
      return make(job);
    },
    async close() {
      closed = true;
    },
  };
}
