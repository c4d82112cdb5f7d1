import { closeSync, openSync, writeSync } from "node:fs";
import { access } from "node:fs/promises";
import { fileError, readBytes, writeAtomic } from "@camkit/cam-core";
import { z } from "zod";
import { LogError } from "../errors.ts";

/** JSON has no NaN; an undetermined metric is null in the file. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);

const progress = {
  /** Steps done when the line was written, 1-based, counted over the whole run. */
  step: z.int().nonnegative(),
  /** Epochs done, or begun: 1-based. */
  epoch: z.int().nonnegative(),
  /** Mean training loss since the last line of this kind. */
  loss: number,
  /** The same of each loss, where several are added up. */
  terms: z.record(z.string(), number).optional(),
  /** The learning rate of the last step. */
  rate: number,
  /** Since the run's first step, waits while it was stopped left out. */
  seconds: number,
  samplesPerSecond: number,
};

const entrySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("step"), ...progress }),
  z.object({
    kind: z.literal("epoch"),
    ...progress,
    validation: z.object({ loss: number, metrics: z.record(z.string(), number) }).optional(),
  }),
]);

/** One line of a training log: some steps, or an epoch with what validation found after it. */
export type LogEntry = z.infer<typeof entrySchema>;
export type EpochEntry = Extract<LogEntry, { kind: "epoch" }>;

/** What differs between two runs that compute the same. */
export const timeFields = ["seconds", "samplesPerSecond"] as const;

/**
 * A training log being written: one JSON object per line. Every line is handed to the system at once, so a process that is killed
 * loses none, or the half of the last.
 */
export class TrainingLog {
  readonly #path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens a log for a run that has done `step` steps: 0 begins a new one; `unwatched` when the validation after them is still to
   * come. Of an older log the lines up to that step stay, later
   * ones go, and so does a torn last line: the run will write them again. So the lines of a checkpoint's step have to be
   * written before the checkpoint; then the log of a resumed run is that of an undisturbed one but for `timeFields`.
   * Throws FileError, and LogError when what is there isn't a training log.
   */
  static async open(path: string, step: number, unwatched = false): Promise<TrainingLog> {
    const isDone = (entry: LogEntry) =>
      entry.step < step || (entry.step === step && !(unwatched && entry.kind === "epoch"));
    const kept = step > 0 && (await exists(path)) ? (await readLog(path)).filter(isDone) : [];
    await writeAtomic(path, kept.map(line).join(""));
    try {
      return new TrainingLog(path, openSync(path, "a"));
    } catch (cause) {
      throw fileError(path, cause);
    }
  }

  /** Throws FileError: the disk is full, say. */
  write(entry: LogEntry): void {
    try {
      writeSync(this.#file, line(entry));
    } catch (cause) {
      throw fileError(this.#path, cause);
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * The entries of a training log. A last line without its end is left out: the process was killed while it wrote it.
 * Throws FileError, and LogError for any other line that isn't an entry, or a step that comes before the one above it.
 */
export async function readLog(path: string): Promise<LogEntry[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  const lines = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  let last = 0;
  return lines.map((content, i) => {
    const entry = parseLine(content, path, i + 1);
    if (entry.step < last) throw new LogError(path, i + 1, `step ${entry.step} comes after step ${last}`);
    last = entry.step;
    return entry;
  });
}

function parseLine(content: string, path: string, number: number): LogEntry {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new LogError(path, number, "not JSON", { cause });
  }
  const found = entrySchema.safeParse(json);
  if (found.success) return found.data;
  const { path: field = [], message = "" } = found.error.issues[0] ?? {};
  throw new LogError(path, number, `${field.join(".") || "entry"}: ${message}`, { cause: found.error });
}

const line = (entry: LogEntry) => `${JSON.stringify(entry)}\n`;

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
