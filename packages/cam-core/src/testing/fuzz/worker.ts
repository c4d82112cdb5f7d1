import { readFileSync, writeFileSync } from "node:fs";
import { cases } from "./cases.ts";
import type { Outcome } from "./journey.ts";

/** What the parent asks of a process of its own, and what it hears: one file at a time. */
export type Request = { readonly kind: string; readonly seed: number };
export type Report = Request & {
  readonly story: string;
  readonly outcomes: readonly Outcome[];
  readonly ms: number;
  /**
   * Highest resident memory while it was worked on, and how much that is above where it began, in MB; undefined where the
   * system doesn't say.
   */
  readonly peakMb: number | undefined;
  readonly grownMb: number | undefined;
};

/** Linux keeps a high-water mark and lets it be reset. */
function resetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Another system: the mark then is that of the whole life of the process, or none.
  }
}

function peakMb(): number | undefined {
  try {
    const kb = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}

const folder = process.argv[2]!;

process.on("message", async ({ kind, seed }: Request) => {
  resetPeak();
  const before = peakMb();
  const start = performance.now();
  const { story, outcomes } = await cases[kind]!(seed, folder).catch((error: Error) => ({
    story: "the file could not be made",
    outcomes: [{ stage: "make", code: "defect", defect: error.stack ?? String(error) }],
  }));
  const [ms, peak] = [performance.now() - start, peakMb()];
  const grownMb = peak === undefined || before === undefined ? undefined : peak - before;
  const report: Report = { kind, seed, story, outcomes, ms, peakMb: peak, grownMb };
  process.send!(report);
});
