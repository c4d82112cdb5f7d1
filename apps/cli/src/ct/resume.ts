import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "@camkit/cam-core";
import { version } from "../version.ts";
import type { CtDocument } from "./result.ts";

/** A scan's request in short, as its result.json keeps it: anything that changes what is written gives another. */
export function requestDigest(...parts: readonly unknown[]): string {
  return sha256Hex(JSON.stringify([version, ...parts], (_, value) => value ?? null));
}

/** What an earlier run of the same request finished in `folder`, all of whose files are still there; else undefined. */
export async function finishedIn(folder: string, request: string): Promise<CtDocument | undefined> {
  const text = await readFile(join(folder, "result.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  let document: CtDocument | null;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined; // not ours: claiming the folder leaves what it names alone
  }
  if (document?.command !== "ct" || document.state !== "finished" || document.source?.request !== request)
    return undefined;
  return document.files.every(({ name }) => existsSync(join(folder, name))) ? document : undefined;
}
