import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { fileError } from "@camkit/cam-core/data";
import { PacsError } from "../errors.ts";
import type { DicomwebClient } from "./client.ts";
import { type DicomJson, itemsOf, readDicomJson, textOf } from "./dicom-json.ts";
import type { Answer } from "./exchange.ts";
import type { InstanceFile } from "./head.ts";
import { multipart } from "./multipart.ts";
import { failureReason, isDuplicate, warningReason } from "./reasons.ts";

/** What became of one instance. `unknown` when the answer doesn't say. */
export type StoreOutcome = {
  readonly sopInstanceUid: string;
  readonly result: "stored" | "refused" | "unknown";
  /** Why it was refused, or what the PACS changed in it. */
  readonly reason?: string;
};

/**
 * STOW-RS: sends files in one request, streamed one after the other. One outcome per file. Nothing is sent twice: when the
 * connection breaks, PacsUnreachableError says so, and who calls has to ask what arrived.
 * Throws PacsError when the request as a whole is refused.
 */
export async function storeInstances(
  client: DicomwebClient,
  files: readonly InstanceFile[],
): Promise<readonly StoreOutcome[]> {
  const boundary = `camkit-${randomUUID()}`;
  const body = multipart(
    boundary,
    files.map(({ path, size }) => ({ contentType: "application/dicom", size, open: () => contentOf(path) })),
  );
  const headers = {
    Accept: "application/dicom+json",
    "Content-Type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
    "Content-Length": String(body.size),
  };
  // 409: every instance failed; 202, a success, that some did. Both say which.
  const answer = await client.request("/studies", { headers, body: body.open, accepts: [409] }, storeAnswer);
  return files.map(({ sopInstanceUid }) => answer.get(sopInstanceUid) ?? { sopInstanceUid, result: "unknown" });
}

async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 2 ** 18 });
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** PS3.18, I.2: the Store Instances Response, by SOP Instance UID. An answer in XML, or none, says nothing of single instances. */
async function storeAnswer(answer: Answer): Promise<ReadonlyMap<string, StoreOutcome>> {
  const outcomes = new Map<string, StoreOutcome>();
  const isJson = /json/i.test(answer.contentType);
  if (!isJson && answer.status === 409)
    throw new PacsError(answer.address, "answers 409: no instance was stored, without saying why", { status: 409 });
  if (!isJson) {
    for await (const _ of answer.chunks); // to its end, so that the connection can be used again
    return outcomes;
  }
  for (const dataset of await readDicomJson(answer)) {
    for (const item of itemsOf(dataset, "ReferencedSOPSequence")) add(item, "stored");
    for (const item of itemsOf(dataset, "FailedSOPSequence")) add(item, "refused");
  }
  return outcomes;

  function add(item: DicomJson, result: "stored" | "refused"): void {
    const sopInstanceUid = textOf(item, "ReferencedSOPInstanceUID");
    const code = Number(textOf(item, result === "stored" ? "WarningReason" : "FailureReason") || Number.NaN);
    if (result === "refused" && isDuplicate(code)) outcomes.set(sopInstanceUid, { sopInstanceUid, result: "stored" });
    else if (result === "refused")
      outcomes.set(sopInstanceUid, { sopInstanceUid, result, reason: failureReason(code) });
    else if (code) outcomes.set(sopInstanceUid, { sopInstanceUid, result, reason: warningReason(code) });
    else outcomes.set(sopInstanceUid, { sopInstanceUid, result });
  }
}
