import { Presets, SingleBar } from "cli-progress";
import type { Io, Sink } from "./io.ts";

/** How far a long work is. On a terminal a bar with rate and time left; elsewhere nothing, so that logs stay readable. */
export type Progress = {
  /** One more is done; `next` is what comes now. */
  step(next?: string): void;
  /** A line that stays, above the bar. */
  say(line: string): void;
  stop(): void;
};

/** `what` is counted: "picture". Nothing is drawn for less than two. */
export function startProgress(io: Pick<Io, "stderr">, total: number, what: string): Progress {
  const started = performance.now();
  const format = `{bar} {value}/{total} ${what}s · {rate}/s · {eta_formatted} left · {current}`;
  const bar = openBar(io, format, { rate: "…", current: "" });
  let done = 0;
  if (total >= 2) bar.show(0, total, {});
  return {
    step: (next = "") => {
      done++;
      const rate = (done / (performance.now() - started)) * 1000;
      if (total >= 2) bar.show(done, total, { rate: rate.toPrecision(2), current: next });
    },
    say: bar.say,
    stop: bar.stop,
  };
}

/** A bar that is drawn on a terminal alone; what is said stays above it. */
export type Bar = {
  readonly drawn: boolean;
  show(done: number, total: number, words: Readonly<Record<string, string>>): void;
  say(line: string): void;
  stop(): void;
};

/** @param format cli-progress's, with `words` to fill in; a word that `show` doesn't give keeps what it was */
export function openBar({ stderr }: Pick<Io, "stderr">, format: string, words: Record<string, string>): Bar {
  if (!stderr.isTTY) return { drawn: false, show: () => {}, say: (line) => stderr.write(`${line}\n`), stop: () => {} };
  let current = words;
  let begun: number | undefined;
  const bar = new SingleBar(
    {
      stream: stderr as Sink & NodeJS.WritableStream,
      format,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 20,
      gracefulExit: false, // Ctrl-C is main's business
    },
    Presets.shades_classic,
  );
  return {
    drawn: true,
    show: (done, total, more) => {
      current = { ...current, ...more };
      if (begun === total) return bar.update(done, current);
      if (begun !== undefined) bar.stop();
      begun = total;
      bar.start(total, done, current);
    },
    say: (line) => {
      stderr.write(`\r\u001b[K${line}\n`);
      if (begun !== undefined) bar.render();
    },
    stop: () => {
      if (begun !== undefined) bar.stop();
      begun = undefined;
    },
  };
}
