import { CamError } from "@camkit/cam-core";
import { exitCodes } from "./exit-codes.ts";

/** The command line is malformed. */
export class UsageError extends CamError {
  override readonly code = "usage";
  override readonly blame = "usage";
}

const byBlame = { input: exitCodes.failed, usage: exitCodes.usage, environment: exitCodes.environment } as const;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CamError)) return exitCodes.failed;
  return error.code === "aborted" ? exitCodes.interrupted : byBlame[error.blame];
}

export type ErrorDocument = { code: string; message: string; hint?: string; stack?: string; [field: string]: unknown };

/** An error as --json and result.json say it: code, message, hint, and the class's own typed fields. */
export function errorDocument(error: unknown, { debug = false } = {}): ErrorDocument {
  const stack = debug && error instanceof Error ? { stack: stackOf(error) } : {};
  if (!(error instanceof CamError))
    return { code: "unexpected", message: messageOf(error), hint: unexpectedHint, ...stack };
  const { name: _name, code, hint, blame: _blame, ...fields } = error;
  return { code, message: error.message, ...(hint ? { hint } : {}), ...plain(fields), ...stack };
}

/** An error as a person reads it. */
export function errorText(error: unknown, { debug = false } = {}): string {
  const { message, hint } = errorDocument(error);
  const lines = [`camkit: ${message}`, ...(hint ? [`  ${hint.replaceAll("\n", "\n  ")}`] : [])];
  if (debug && error instanceof Error) lines.push(stackOf(error));
  return `${lines.join("\n")}\n`;
}

const unexpectedHint = "This is a defect of camkit, not of your files: please report it with the output of --debug.";

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

/** What JSON can hold of an error's fields. */
function plain(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && typeof value !== "function" && !(value instanceof Error),
    ),
  );
}
