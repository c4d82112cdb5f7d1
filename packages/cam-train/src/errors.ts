import { CamError } from "@camkit/cam-core/data";

/** Every error that this package throws on purpose, one class per decision a caller can take; narrow by `code`. */

/** A layer, a loss or an optimiser was asked for something that it can't be: a kernel larger than its input, a rate below 0. */
export class NetworkError extends CamError {
  override readonly code: string = "network";
  override readonly blame = "usage";
}

/** The data set can't be used as it is: no pictures, one class, sizes that differ, a label that isn't in the list. */
export class DataError extends CamError {
  override readonly code = "data";
}

/** The configuration of a training run doesn't fit its schema, or what it names. Every problem is listed as `where: what`. */
export class ConfigError extends CamError {
  override readonly code = "config";
  override readonly blame = "usage";
}

/** A checkpoint can't be read, or belongs to another run than the one that wants to go on from it. */
export class CheckpointError extends CamError {
  override readonly code = "checkpoint";
}

/** A run's folder holds a run already, finished or not, or that of another configuration. */
export class RunError extends CamError {
  override readonly code = "run-exists";
  override readonly blame = "usage";
  constructor(
    readonly folder: string,
    readonly state: "begun" | "finished" | "other",
  ) {
    const [reason, hint] = runStates[state];
    super(`${folder}: ${reason}`, { hint });
  }
}

const runStates = {
  begun: ["a run was begun here and isn't through", "Go on with --resume, or choose another folder with --out."],
  finished: ["a finished run lies here", "Choose another folder with --out; nothing is overwritten."],
  other: ["a finished run of another configuration lies here", "Choose another folder with --out."],
} as const;

/** Scores and labels that don't fit each other, a metric that isn't known, or a number that the samples can't give. */
export class MetricError extends CamError {
  override readonly code = "metric";
}

/** A line of a training log isn't an entry. */
export class LogError extends CamError {
  override readonly code = "log";
  constructor(
    readonly path: string,
    readonly line: number,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${path}, line ${line}: ${reason}`, options);
  }
}

/** A number that training rests on became NaN or infinite. */
export class DivergedError extends CamError {
  override readonly code = "diverged";
  constructor(
    readonly step: number,
    readonly tensor: string,
    options: { hint?: string } = {},
  ) {
    super(`"${tensor}" is no longer finite at step ${step}`, options);
  }
}

/** A thread that makes batches ended by itself: out of memory, or a fault in native code. */
export class WorkerError extends CamError {
  override readonly code = "worker";
  override readonly blame = "environment";
}
