/** How fast steps are done lately. Plain data: `now` is the caller's clock, in seconds. */
export type Pace = {
  readonly done: number;
  readonly now: number;
  /** Steps and the seconds they took, older ones fading. */
  readonly steps: number;
  readonly seconds: number;
};

/** After this long a step counts 1/e in the rate: quick to follow a change, slow enough not to flicker. */
const memorySeconds = 30;

/** The pace before the first step. `done`: steps that were done before (a resumed run). */
export function startPace(done: number, now: number): Pace {
  return { done, now, steps: 0, seconds: 0 };
}

/**
 * The pace after more steps.
 *
 *   rate = Σ steps · f / Σ seconds · f,   f = exp(−age / 30 s)
 *
 * A ratio of fading sums: from the first step on it is an average, so it needs no warm-up and no correction.
 */
export function advancePace(pace: Pace, done: number, now: number): Pace {
  const passed = Math.max(0, now - pace.now); // a clock that was set back is no progress
  const kept = Math.exp(-passed / memorySeconds);
  return { done, now, steps: pace.steps * kept + (done - pace.done), seconds: pace.seconds * kept + passed };
}

/** Steps per second, and seconds until `total` steps are done; undefined while nothing is known. */
export function estimate(pace: Pace, total: number): { rate: number; remaining: number } | undefined {
  if (pace.steps <= 0 || pace.seconds <= 0) return undefined;
  const rate = pace.steps / pace.seconds;
  return { rate, remaining: Math.max(0, total - pace.done) / rate };
}

/** A time for people: "0.4 s", "47 s", "3 min 20 s", "2 h 05 min", "3 d 4 h". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
