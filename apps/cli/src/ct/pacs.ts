import { authorizationFrom, type DicomwebClient, dicomweb } from "@camkit/medical";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";

/** A DICOMweb client for what the command line says: its URL, headers, and credentials from the environment. */
export function openPacs(url: string, headers: readonly string[], io: Pick<Io, "env" | "signal">): DicomwebClient {
  return dicomweb(url, {
    headers: Object.fromEntries(headers.map(headerOf)),
    authorization: authorizationFrom(io.env),
    signal: io.signal,
  });
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError(`--header is NAME:VALUE, found "${text}"`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
