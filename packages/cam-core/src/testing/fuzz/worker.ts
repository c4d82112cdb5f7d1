import { readFileSync, writeFileSync } from "node:fs";
import { type Case, cases } from "./cases.ts";
import type { Outcome } from "./journey.ts";

/** What the parent asks of a process of its own, one file at a time. */
export type Request = { readonly kind: string; readonly seed: number };

/** What it hears: first what the file is, so that it is known of one that ends the process; then how it ended. */
export type Begun = Pick<Case, "base" | "ways" | "goal">;
export type Report = {
  readonly outcomes: readonly Outcome[];
  readonly ms: number;
  /**
   * Highest resident memory while it was worked on, and how much that is above where it began, in MB; undefined where the
   * system doesn't say.
   */
  readonly peakMb: number | undefined;
  readonly grownMb: number | undefined;
};
export type Message = { readonly begun: Begun } | { readonly report: Report };

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
  const { go, ...begun } = await cases[kind]!(seed, folder);
  process.send!({ begun } satisfies Message);
  resetPeak();
  const before = peakMb();
  const start = performance.now();
  const outcomes = await go();
  const [ms, peak] = [performance.now() - start, peakMb()];
  const grownMb = peak === undefined || before === undefined ? undefined : peak - before;
  process.send!({ report: { outcomes, ms, peakMb: peak, grownMb } } satisfies Message);
});
