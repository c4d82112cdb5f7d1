import { PacsError, PacsUnreachableError } from "../errors.ts";
import type { DicomwebClient } from "./client.ts";
import { textOf } from "./dicom-json.ts";
import { headOfBytes } from "./head.ts";
import { findInstances } from "./query.ts";
import { retrieve } from "./retrieve.ts";

/** An instance as it comes from a PACS; `name` is its address, for messages. */
export type PacsInstance = { readonly name: string; readonly bytes: Uint8Array };

/**
 * The instances of a series, one by one, every one that the PACS lists exactly once: when the connection breaks, those that
 * are missing are fetched by themselves. Throws PacsError when the series isn't there, or an instance of it can't be had.
 */
export async function* pacsSource(
  client: DicomwebClient,
  { study, series }: { readonly study: string; readonly series: string },
): AsyncGenerator<PacsInstance> {
  const missing = new Set<string>();
  for await (const instance of findInstances(client, { study, series }))
    missing.add(textOf(instance, "SOPInstanceUID"));
  const address = `${client.url}/studies/${study}/series/${series}`;
  if (missing.size === 0)
    throw new PacsError(address, "no such series, or no instances in it", {
      hint: "Check both UIDs: a series is looked for in the study that was given.",
    });

  /**
   * Each that was still missing: a server may repeat itself, or send what it didn't list. What can't be identified is the
   * instance that was asked for by itself, or waits until it is; whoever reads it then says what is wrong with it.
   */
  async function* wanted(files: AsyncIterable<Uint8Array>, asked = ""): AsyncGenerator<PacsInstance> {
    for await (const bytes of files) {
      const uid = sopInstanceUidOf(bytes) ?? asked;
      if (missing.delete(uid)) yield { name: `${address}/instances/${uid}`, bytes };
    }
  }

  try {
    yield* wanted(retrieve(client, { study, series }));
  } catch (error) {
    if (!(error instanceof PacsUnreachableError)) throw error;
  }
  for (const instance of [...missing]) {
    for (let attempt = 1; missing.has(instance); attempt++) {
      try {
        yield* wanted(retrieve(client, { study, series, instance }), instance);
        if (missing.has(instance))
          throw new PacsError(
            `${address}/instances/${instance}`,
            "the PACS lists it, but answers with another instance",
          );
      } catch (error) {
        if (!(error instanceof PacsUnreachableError) || attempt >= client.attempts) throw error;
        await client.pause(attempt);
      }
    }
  }
}

function sopInstanceUidOf(bytes: Uint8Array): string | undefined {
  try {
    return headOfBytes(bytes, "").sopInstanceUid || undefined;
  } catch {
    return undefined;
  }
}
