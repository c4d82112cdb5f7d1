import { parentPort, workerData } from "node:worker_threads";
import type { CamError, Tensor } from "@camkit/cam-core/data";
import { type Batch, type Job, openMaker, type Plan } from "./batch.ts";

/** What a worker is asked, and what it answers; errors travel as text, classes don't survive the way. */
export type Request = Job & { readonly id: number };
export type Answer =
  | { readonly id: number; readonly batch: Batch }
  | { readonly id: number; readonly error: { readonly message: string; readonly hint: string | undefined } };

const port = parentPort;
if (port) {
  const opened = openMaker(workerData as Plan);
  opened.catch(() => {}); // every request reports it
  let turn: Promise<void> = Promise.resolve();
  port.on("message", (request: Request) => {
    turn = turn.then(() => answer(request));
  });

  const answer = async ({ id, ...job }: Request): Promise<void> => {
    try {
      const batch = await (await opened)(job);
      const buffers = Object.values(batch.fields).map(({ data }) => (data as Exclude<Tensor["data"], string[]>).buffer);
      port.postMessage({ id, batch } satisfies Answer, buffers as ArrayBuffer[]);
    } catch (cause) {
      const { message, hint } = cause as CamError;
      port.postMessage({ id, error: { message, hint } } satisfies Answer);
    }
  };
}
