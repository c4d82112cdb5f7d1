import { parentPort } from "node:worker_threads";
import type { Rescaled } from "../hounsfield.ts";
import { type Job, runJob } from "./job.ts";
import { PixelFault } from "./limits.ts";

/** What a thread is asked, and what it answers. */
export type Request = { readonly id: number; readonly job: Job };
export type Answer = { readonly id: number } & ({ readonly slices: Rescaled[] } | { readonly fault: Fault });

/** An error as it crosses from a thread, where classes don't. */
export type Fault = {
  readonly kind: "damaged" | "unsupported" | "file";
  readonly message: string;
  readonly hint: string | undefined;
  /** Of the file system: ENOENT, EACCES … */
  readonly code: string | undefined;
};

/** Whatever went wrong, in words. What isn't a PixelFault and not the file system's comes from a decoder that met rubbish. */
export function faultOf(cause: unknown): Fault {
  const { message, code, syscall } = cause as NodeJS.ErrnoException;
  if (cause instanceof PixelFault) return { kind: cause.kind, message, hint: cause.hint, code: undefined };
  if (syscall !== undefined) return { kind: "file", message, hint: undefined, code };
  return { kind: "damaged", message: `its pixels can't be decoded: ${message}`, hint: undefined, code: undefined };
}

const port = parentPort;
if (port) {
  let turn: Promise<void> = Promise.resolve();
  port.on("message", (request: Request) => {
    turn = turn.then(() => answer(request));
  });

  const answer = async ({ id, job }: Request): Promise<void> => {
    try {
      port.postMessage({ id, slices: await runJob(job) } satisfies Answer);
    } catch (cause) {
      port.postMessage({ id, fault: faultOf(cause) } satisfies Answer);
    }
  };
}
