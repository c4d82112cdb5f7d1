import { advancePace, duration, estimate, type Pace, type RunEvent, startPace } from "@camkit/cam-train";
import { quantity, significant } from "../format.ts";
import type { Io } from "../io.ts";
import { openBar } from "../progress.ts";

/** Seconds from one line to the next within an epoch, where no bar is drawn. */
const quietSeconds = 60;

/** Shows a run: on a terminal a bar that moves with every step, elsewhere a line per epoch and per minute. */
export type TrainingProgress = { onEvent(event: RunEvent): void; say(line: string): void; stop(): void };

export function startTrainingProgress(io: Pick<Io, "stderr">): TrainingProgress {
  const bar = openBar(io, "{bar} {what} {value}/{total}{detail}", { what: "step", detail: "" });
  let pace: Pace | undefined;
  let samples = 0;
  let steps = 0;
  let epochs = 0;
  let monitor = "loss";
  let said = 0;
  const now = () => performance.now() / 1000;
  const left = () => pace && estimate(pace, steps);
  const speed = () => {
    const found = left();
    return found
      ? [`${quantity(Math.round(found.rate * samples))} samples/s`, `${duration(found.remaining)} left`]
      : [];
  };

  const handlers: { [K in RunEvent["kind"]]?: (event: Extract<RunEvent, { kind: K }>) => void } = {
    prepared: ({ run }) => {
      ({ epochs, monitor } = run.config);
      pace = undefined;
      for (const warning of run.warnings) bar.say(`warning: ${warning}`);
    },
    resumed: (event) => {
      bar.say(`going on after step ${event.step} of ${event.steps}`);
      if (event.threads)
        bar.say(
          `warning: begun with ${event.threads[0]} threads, goes on with ${event.threads[1]}: sums round differently, so the weights will not be exactly those of a run that was never stopped`,
        );
    },
    step: (event) => {
      // When the first step began isn't known: compiling comes before it.
      pace = pace ? advancePace(pace, event.step, now()) : startPace(event.step, now());
      ({ samples, steps } = event);
      const words = [`loss ${significant(event.loss)}`, ...speed()];
      bar.show(event.step, event.steps, { what: "step", detail: words.map((word) => ` · ${word}`).join("") });
      if (!bar.drawn && now() - said > quietSeconds && said > 0) {
        bar.say(`  step ${event.step} of ${event.steps}  ${words.join("  ")}`);
        said = now();
      }
      said ||= now();
    },
    validating: ({ done, total }) => bar.show(done, total, { what: "validation", detail: "" }),
    measuring: ({ part, done, total }) => bar.show(done, total, { what: part, detail: "" }),
    line: ({ entry }) => {
      if (entry.kind !== "epoch") return;
      said = now();
      const { validation } = entry;
      const metrics = Object.entries(validation?.metrics ?? {}).filter(([name], i) => i === 0 || name === monitor);
      bar.say(
        [
          `epoch ${String(entry.epoch).padStart(String(epochs).length)}/${epochs}`,
          `loss ${entry.loss.toFixed(4)}`,
          ...(validation ? [`validation ${validation.loss.toFixed(4)}`] : []),
          ...metrics.map(([name, value]) => `${name} ${value.toFixed(4)}`),
          ...speed(),
        ].join("  "),
      );
    },
  };
  return {
    onEvent: (event) => (handlers[event.kind] as ((event: RunEvent) => void) | undefined)?.(event),
    say: bar.say,
    stop: bar.stop,
  };
}
