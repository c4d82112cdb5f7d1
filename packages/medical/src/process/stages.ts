import { AbortedError } from "@camkit/cam-core/data";

/** One step of a job: its wall-clock time, and the process's resident memory when it ended. */
export type Stage = { readonly name: string; readonly ms: number; readonly rssMb: number };

export type StageListener = {
  /** A stage has begun, or got on. */
  readonly onStage?: ((name: string, done?: number, total?: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Runs a job's steps one after the other, says which one it is at, and keeps what each took. */
export function stagesOf({ onStage, signal }: StageListener) {
  const stages: Stage[] = [];
  return {
    stages: stages as readonly Stage[],
    /** Throws AbortedError before a stage, once that was asked for. */
    async run<T>(name: string, step: (progress: (done: number, total: number) => void) => T | Promise<T>): Promise<T> {
      if (signal?.aborted) throw new AbortedError();
      onStage?.(name);
      const started = performance.now();
      const result = await step((done, total) => onStage?.(name, done, total));
      stages.push({
        name,
        ms: Math.round(performance.now() - started),
        rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
      });
      return result;
    },
  };
}

export type Stages = ReturnType<typeof stagesOf>;
