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
  const { stderr } = io;
  if (!stderr.isTTY || total < 2) return { step: () => {}, say: (line) => stderr.write(`${line}\n`), stop: () => {} };
  const started = performance.now();
  const bar = new SingleBar(
    {
      stream: stderr as Sink & NodeJS.WritableStream,
      format: `{bar} {value}/{total} ${what}s · {rate}/s · {eta_formatted} left · {current}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 20,
      gracefulExit: false, // Ctrl-C is main's business
    },
    Presets.shades_classic,
  );
  let done = 0;
  bar.start(total, 0, { rate: "…", current: "" });
  return {
    step: (next = "") => {
      done++;
      const rate = (done / (performance.now() - started)) * 1000;
      bar.update(done, { rate: rate.toPrecision(2), current: next });
    },
    say: (line) => {
      stderr.write(`\r\u001b[K${line}\n`);
      bar.render();
    },
    stop: () => bar.stop(),
  };
}
