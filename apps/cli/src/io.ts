/** Where a command's words go; tests hand in their own. */
export type Io = {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Fires on Ctrl-C: the current run is finished, what is done is written, nothing new is begun. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type Sink = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** A line of warning for people; results carry the same words in their own `warnings`. */
export function warn(io: Pick<Io, "stderr">, message: string): void {
  io.stderr.write(`warning: ${message}\n`);
}

/** Lets a pending Ctrl-C be noticed: a run blocks the event loop, and awaiting it alone doesn't turn the loop. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
