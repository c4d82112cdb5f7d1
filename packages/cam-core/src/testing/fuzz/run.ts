import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Begun, Message, Report, Request } from "./worker.ts";

/** How one file ended, as the parent sees it: also where the process that worked on it died or hung. */
export type Ending = Request &
  Pick<Begun, "base" | "ways"> &
  Omit<Report, "outcomes"> & {
    /** "ok" where it was still good for what it was meant to be, else the code of the error that refused it, or "defect". */
    readonly code: string;
    readonly stage: string;
    readonly defect: string | undefined;
  };

export type RunOptions = {
  /** Processes at a time. Default 2. */
  readonly workers?: number;
  /** Longest that one file may take, on a busy machine, too. Default 10 s. */
  readonly limitMs?: number;
  /** Most memory that one file may take, beyond what its process held before. Default 300 MB. */
  readonly limitMb?: number;
  readonly onEnding?: (ending: Ending) => void;
};

/** A process that is new to the runtime needs longer: opening it, compiling. */
const firstMs = 15_000;

/**
 * Takes damaged files the whole way in processes of their own, so that a crash or a hang belongs to one file. A process that
 * died is replaced, and the next file goes on.
 */
export async function runCases(requests: readonly Request[], options: RunOptions = {}): Promise<Ending[]> {
  const { workers = 2, limitMs = 10_000, limitMb = 300, onEnding } = options;
  const folder = mkdtempSync(join(tmpdir(), "camkit-fuzz-"));
  const endings: Ending[] = [];
  const queue = [...requests].reverse();
  const serve = async (index: number) => {
    let worker: Worker | undefined;
    for (let request = queue.pop(); request !== undefined; request = queue.pop()) {
      worker ??= startWorker(join(folder, String(index)));
      const ending = judge(await worker.ask(request, limitMs), limitMb);
      if (!worker.alive()) worker = undefined;
      endings.push(ending);
      onEnding?.(ending);
    }
    worker?.stop();
  };
  try {
    await Promise.all(Array.from({ length: workers }, (_, index) => serve(index)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return endings;
}

type Asked = { request: Request; begun?: Begun; report?: Report; died?: string; ms: number };
type Worker = { ask(request: Request, limitMs: number): Promise<Asked>; alive(): boolean; stop(): void };

function startWorker(folder: string): Worker {
  const script = fileURLToPath(new URL("./worker.js", import.meta.url));
  // What the runtime prints of each refusal would drown the counts.
  let child: ChildProcess | undefined = fork(script, [folder], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let errors = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  let fresh = true;
  const ask: Worker["ask"] = (request, limitMs) =>
    new Promise((resolve) => {
      const asked = child!;
      const start = performance.now();
      let begun: Begun | undefined;
      const end = (outcome: Pick<Asked, "report" | "died">) => {
        clearTimeout(timer);
        asked.removeAllListeners("message");
        asked.removeAllListeners("exit");
        if (outcome.died !== undefined) {
          asked.kill("SIGKILL");
          child = undefined;
        }
        resolve({ request, ...(begun && { begun }), ...outcome, ms: performance.now() - start });
      };
      const limit = fresh ? limitMs + firstMs : limitMs;
      const timer = setTimeout(() => end({ died: `no answer within ${limit / 1000} s` }), limit);
      fresh = false;
      asked.on("message", (message: Message) => {
        if ("begun" in message) begun = message.begun;
        else end(message);
      });
      asked.once("exit", (code, signal) => end({ died: `the process ended: ${signal ?? code}\n${errors}` }));
      asked.send(request);
    });
  return {
    ask,
    alive: () => child !== undefined,
    stop: () => {
      child?.removeAllListeners("exit");
      child?.kill();
    },
  };
}

function judge({ request, begun, report, died, ms }: Asked, limitMb: number): Ending {
  const what = { ...request, base: begun?.base ?? "not made", ways: begun?.ways ?? [] };
  if (!report || !begun)
    return { ...what, code: "defect", stage: "process", defect: died, ms, peakMb: undefined, grownMb: undefined };
  const { outcomes, ...measured } = report;
  const told =
    outcomes.find((each) => each.defect) ??
    outcomes.find((each) => each.stage === begun.goal) ??
    outcomes.find((each) => each.code !== "ok")!;
  const grown = report.grownMb ?? 0;
  const defect = told.defect ?? (grown > limitMb ? `${Math.round(grown)} MB more than before` : undefined);
  return { ...what, ...measured, code: defect ? "defect" : told.code, stage: told.stage, defect };
}
