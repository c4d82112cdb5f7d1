import { existsSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "@camkit/cam-core";
import { version } from "../version.ts";
import { resultIn } from "./folder.ts";
import type { CtDocument } from "./result.ts";

/** A scan's request in short, as its result.json keeps it: anything that changes what is written gives another. */
export function requestDigest(...parts: readonly unknown[]): string {
  return sha256Hex(JSON.stringify([version, ...parts], (_, value) => value ?? null));
}

/** What an earlier run of the same request finished in `folder`, all of whose files are still there; else undefined. */
export async function finishedIn(folder: string, request: string): Promise<CtDocument | undefined> {
  const document = await resultIn(folder);
  if (document?.state !== "finished" || document.source?.request !== request) return undefined;
  return document.files.every(({ name }) => existsSync(join(folder, name))) ? (document as CtDocument) : undefined;
}
