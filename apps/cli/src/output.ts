import type { Context, Outcome } from "./command.ts";
import { errorDocument, errorText } from "./errors.ts";
import type { Io } from "./io.ts";

/** Prints what a command answered: one JSON document, or text. Nothing else in this program writes to stdout. */
export function printOutcome(outcome: Outcome, { stdout, json }: Pick<Context, "stdout" | "json">): void {
  const text = json ? toJson(outcome.document) : outcome.text();
  if (text !== "") stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Prints a failure: a message for people on stderr, and with --json `{ "error": … }` on stdout. */
export function printError(error: unknown, io: Io & { json: boolean; debug: boolean }): void {
  if (io.json) io.stdout.write(`${toJson({ error: errorDocument(error, io) })}\n`);
  else io.stderr.write(errorText(error, io));
}

/** JSON as written to stdout and into result.json: 64-bit integers as numbers where exact, typed arrays as lists. */
export function toJson(document: unknown): string {
  return JSON.stringify(document, replace, 2);
}

function replace(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, Number);
  return value;
}
