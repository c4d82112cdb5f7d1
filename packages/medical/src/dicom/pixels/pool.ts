import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DecoderThreadError } from "../../errors.ts";
import type { Rescaled } from "../hounsfield.ts";
import type { Job } from "./job.ts";
import type { Answer, Fault, Request } from "./worker.ts";

/** The built file, also when this one runs from source in a test: Node 20 reads no TypeScript. */
const entry = new URL("../../../dist/dicom/pixels/worker.js", import.meta.url);

/** A thread that hasn't answered by then is ended: a codec may run for ever on bytes made for it. And for each slice it was given. */
const patienceMs = { least: 60_000, slice: 2_000 };
/** More bring nothing: reading and memory set the pace. */
const most = 8;
/** One being decoded, one ready, so that no thread waits for this one. */
const ahead = 2;

/** A thread with nothing to do for this long is ended: some 20 MB each, which the rest of a job has better uses for. */
const restMs = 2_000;

type Waiting = {
  readonly job: Job;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Rescaled[] | Fault) => void;
  readonly reject: (cause: Error) => void;
};
type Hand = { readonly worker: Worker; readonly busy: Map<number, Waiting>; timer?: NodeJS.Timeout; ended: boolean };

const hands: Hand[] = [];
const queue: Waiting[] = [];
let ids = 0;

/**
 * Has a job done by one of the process's decoding threads. They are started when they are first needed, stay a while for
 * the next volume, and don't keep the process alive. Rejects with DecoderThreadError, or with the signal's reason before it is begun.
 */
export function decodeInThread(job: Job, signal?: AbortSignal): Promise<Rescaled[] | Fault> {
  return new Promise((resolve, reject) => {
    queue.push({ job, signal, resolve, reject });
    if (hands.length < Math.min(most, availableParallelism()) && hands.every(({ busy }) => busy.size > 0)) startHand();
    dispatch();
  });
}

/** Starts the threads, which takes some 40 ms: a program that knows it will load a volume can do so meanwhile. */
export function startDecoders(): void {
  while (hands.length < Math.min(most, availableParallelism())) startHand();
}

/** Ends the threads; jobs under way are rejected. The next job starts new ones. */
export async function closeDecoders(): Promise<void> {
  for (const waiting of queue.splice(0)) waiting.reject(new DecoderThreadError("the decoding threads were closed"));
  const all = hands.slice();
  for (const hand of all) fail(hand, new DecoderThreadError("the decoding threads were closed"));
  await Promise.all(all.map(({ worker }) => worker.terminate()));
}

function dispatch(): void {
  for (let depth = 0; depth < ahead; depth++)
    for (const hand of hands)
      if (hand.busy.size === depth) {
        const waiting = next();
        if (!waiting) return;
        give(hand, waiting);
      }
}

function next(): Waiting | undefined {
  for (let waiting = queue.shift(); waiting; waiting = queue.shift()) {
    if (!waiting.signal?.aborted) return waiting;
    waiting.reject(waiting.signal.reason);
  }
  return undefined;
}

function give(hand: Hand, waiting: Waiting): void {
  const id = ids++;
  hand.busy.set(id, waiting);
  if (hand.busy.size === 1) {
    hand.worker.ref();
    watch(hand);
  }
  try {
    hand.worker.postMessage({ id, job: waiting.job } satisfies Request);
  } catch (cause) {
    // Bytes that are made when they are asked for: an archive that was damaged in the meantime.
    hand.busy.delete(id);
    waiting.reject(cause instanceof Error ? cause : new Error(String(cause)));
    rest(hand);
  }
}

function watch(hand: Hand): void {
  clearTimeout(hand.timer);
  const slices = [...hand.busy.values()].reduce((sum, { job }) => sum + job.slices.length, 0);
  const ms = patienceMs.least + patienceMs.slice * slices;
  hand.timer = setTimeout(() => {
    fail(hand, new DecoderThreadError(`a thread that decodes pixels gave no answer for ${ms / 1000} s`));
    void hand.worker.terminate();
  }, ms);
}

function startHand(): void {
  // The process's own flags (--input-type, --test) would be taken for the worker's.
  const worker = new Worker(entry, { execArgv: [] });
  const hand: Hand = { worker, busy: new Map(), ended: false };
  hands.push(hand);
  worker.on("message", (answer: Answer) => {
    if (hand.ended) return;
    const waiting = hand.busy.get(answer.id);
    hand.busy.delete(answer.id);
    waiting?.resolve("slices" in answer ? answer.slices : answer.fault);
    dispatch();
    rest(hand);
  });
  worker.on("error", (cause) =>
    fail(hand, new DecoderThreadError(`a thread that decodes pixels failed: ${cause.message}`, { cause })),
  );
  worker.on("exit", (code) =>
    fail(hand, new DecoderThreadError(`a thread that decodes pixels ended with code ${code}`)),
  );
  // A process may end with idle threads. After the listeners: the first one refs.
  worker.unref();
}

/** After an answer: the thread goes on, or waits for a next job for a while. */
function rest(hand: Hand): void {
  clearTimeout(hand.timer);
  if (hand.busy.size > 0) {
    watch(hand);
    return;
  }
  hand.worker.unref();
  hand.timer = setTimeout(() => retire(hand), restMs).unref();
}

/** Ends a thread that has nothing to do; the next job starts another. */
function retire(hand: Hand): void {
  hand.ended = true;
  hands.splice(hands.indexOf(hand), 1);
  void hand.worker.terminate();
}

/** The thread is given up with what it had; the rest of the queue goes to others. */
function fail(hand: Hand, failure: Error): void {
  if (hand.ended) return;
  hand.ended = true;
  clearTimeout(hand.timer);
  hands.splice(hands.indexOf(hand), 1);
  for (const { reject } of hand.busy.values()) reject(failure);
  hand.busy.clear();
  if (queue.length > 0 && hands.length === 0) startHand();
  dispatch();
}
