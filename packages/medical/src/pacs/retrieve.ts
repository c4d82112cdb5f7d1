import { PacsError } from "../errors.ts";
import type { DicomwebClient } from "./client.ts";
import { type DicomJson, readDicomJson } from "./dicom-json.ts";
import type { Answer } from "./exchange.ts";
import { boundaryOf, type PartLimits, parts } from "./multipart.ts";
import { resource } from "./query.ts";

export type Retrieved = { readonly study: string; readonly series: string; readonly instance?: string };

/**
 * What is asked for, the best first: files as they are stored; then, for servers that refuse those words, whatever they like,
 * which is explicit little endian by PS3.18, 8.7.3.5.2.
 */
const accepted = [
  'multipart/related; type="application/dicom"; transfer-syntax=*',
  'multipart/related; type="application/dicom"',
];

/**
 * WADO-RS: the files of a series, or one instance, as they come; no more than one is held. Begun again when the connection fails
 * before the first byte, not later. Throws PacsError, PacsUnreachableError.
 */
export async function* retrieve(
  client: DicomwebClient,
  uids: Retrieved,
  limits: PartLimits = {},
): AsyncGenerator<Uint8Array> {
  const answer = await ask(client, resource(uids));
  const boundary = boundaryOf(answer.contentType);
  if (boundary !== undefined) {
    for await (const { bytes } of parts(answer.chunks, boundary, answer.address, limits)) yield bytes;
  } else if (/^application\/dicom\s*(;|$)/i.test(answer.contentType)) {
    yield await whole(answer, limits); // some servers answer one instance so
  } else {
    throw new PacsError(
      answer.address,
      `answers ${answer.contentType || "something without a type"}, expected DICOM files`,
    );
  }
}

/** WADO-RS: the headers of a series, or of one instance, without pixels. */
export function retrieveMetadata(client: DicomwebClient, uids: Retrieved): Promise<readonly DicomJson[]> {
  return client.request(`${resource(uids)}/metadata`, { headers: { Accept: "application/dicom+json" } }, readDicomJson);
}

async function ask(client: DicomwebClient, path: string): Promise<Answer> {
  for (const [i, accept] of accepted.entries()) {
    try {
      return await client.request(path, { headers: { Accept: accept } }, async (answer) => answer);
    } catch (error) {
      const refused = error instanceof PacsError && (error.status === 406 || error.status === 400);
      if (!refused || i === accepted.length - 1) throw error;
    }
  }
  throw new RangeError("unreachable: the last attempt returns or throws");
}

async function whole(answer: Answer, { partBytes = 2 ** 31 }: PartLimits): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.chunks) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > partBytes) throw new PacsError(answer.address, `its answer has more than ${partBytes} bytes`);
  }
  return Buffer.concat(chunks);
}
