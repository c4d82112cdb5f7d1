import { setTimeout as sleep } from "node:timers/promises";
import { MissingPackageError, PacsError, PacsUnreachableError } from "../errors.ts";
import type { Destination } from "./destination.ts";
import { failureOf } from "./failures.ts";
import type { InstanceFile } from "./head.ts";
import { failureReason, isDuplicate, warningReason } from "./reasons.ts";
import type { StoreOutcome } from "./store.ts";

export type DimseOptions = {
  /** This side's application entity title. Default: CAMKIT. Many PACS take files only from titles that they know. */
  readonly callingAet?: string;
  readonly attempts?: number;
  readonly firstDelayMs?: number;
  /** How long nothing may arrive. Default: a minute. */
  readonly idleMs?: number;
};

type Peer = { readonly aet: string; readonly host: string; readonly port: number };
type Dimse = typeof import("dcmjs-dimse");
type Client = InstanceType<Dimse["Client"]>;
type Answer = { getStatus(): number };

/** Files that are sent over one association: the library holds them until it ends. */
const perAssociation = 8;

/**
 * A PACS by DICOM's own protocol (PS3.7): C-ECHO first, then C-STORE. It isn't asked what it has, so `storeResults` goes by its
 * journal; a file that is sent again has the same UIDs, and the PACS keeps one.
 * Throws PacsError on what is no address, MissingPackageError without dcmjs-dimse.
 */
export async function dimseDestination(address: string, options: DimseOptions = {}): Promise<Destination> {
  const { callingAet = "CAMKIT", attempts = 5, firstDelayMs = 500, idleMs = 60_000 } = options;
  const peer = parseAddress(address);
  const dimse = await library();
  const { CEchoRequest, CStoreRequest } = dimse.requests;
  let echoed = false;

  /** Sends requests over one association; statuses in their order, undefined where there was none. */
  const send = (requests: readonly InstanceType<Dimse["requests"]["Request"]>[]) =>
    associate(new dimse.Client(), requests, { peer, callingAet, idleMs });

  return {
    name: address,
    attempts,
    pause: (attempt) => sleep(firstDelayMs * 2 ** (attempt - 1)),
    present: async () => undefined,
    async send(files) {
      if (!echoed) {
        const [status] = await send([new CEchoRequest()]);
        if (status !== 0) throw new PacsError(address, `answers a C-ECHO with ${status ?? "nothing"}`);
        echoed = true;
      }
      const outcomes: StoreOutcome[] = [];
      for (let at = 0; at < files.length; at += perAssociation) {
        const some = files.slice(at, at + perAssociation);
        const statuses = await send(some.map(({ path }) => new CStoreRequest(path)));
        outcomes.push(...some.map((file, i) => outcome(file, statuses[i])));
      }
      return outcomes;
    },
  };
}

/** PS3.4, B.2.3: what a status of C-STORE means. */
function outcome({ sopInstanceUid, sopClassUid }: InstanceFile, status: number | undefined): StoreOutcome {
  if (status === undefined)
    return {
      sopInstanceUid,
      result: "refused",
      reason: `the PACS doesn't take ${sopClassUid}, or its transfer syntax`,
    };
  if (status === 0 || isDuplicate(status)) return { sopInstanceUid, result: "stored" };
  const stored = (status & 0xf000) === 0xb000;
  return stored
    ? { sopInstanceUid, result: "stored", reason: warningReason(status) }
    : { sopInstanceUid, result: "refused", reason: failureReason(status) };
}

type Caller = { readonly peer: Peer; readonly callingAet: string; readonly idleMs: number };

function associate(
  client: Client,
  requests: readonly InstanceType<Dimse["requests"]["Request"]>[],
  { peer, callingAet, idleMs }: Caller,
): Promise<(number | undefined)[]> {
  const address = `${peer.aet}@${peer.host}:${peer.port}`;
  const statuses: (number | undefined)[] = requests.map(() => undefined);
  return new Promise((resolve, reject) => {
    let released = false;
    for (const [i, request] of requests.entries()) {
      request.on("response", (response: Answer) => {
        statuses[i] = response.getStatus();
      });
      client.addRequest(request);
    }
    client.on("associationRejected", ({ source, reason }: { source: number; reason: number }) => {
      const why = rejections[`${source}:${reason}`] ?? `source ${source}, reason ${reason}`;
      reject(new PacsError(address, `refuses the association: ${why}`, { hint: rejectionHint }));
    });
    client.on("networkError", (cause: Error) => {
      // The library keeps of the system's error its text alone.
      const code = /\bE[A-Z]{3,}\b/.exec(cause.message)?.[0];
      const { reason, hint } = failureOf(Object.assign(new Error(cause.message), { code }));
      reject(new PacsUnreachableError(address, reason, { cause, ...(hint === undefined ? {} : { hint }) }));
    });
    client.on("associationReleased", () => {
      released = true;
    });
    client.on("closed", () => {
      if (released) resolve(statuses);
      else reject(new PacsUnreachableError(address, "the connection was cut"));
    });
    client.send(peer.host, peer.port, callingAet, peer.aet, {
      connectTimeout: idleMs,
      associationTimeout: idleMs,
      pduTimeout: idleMs,
    });
  });
}

/** PS3.8, table 9-21. */
const rejections: Readonly<Record<string, string>> = {
  "1:1": "without saying why",
  "1:3": "it doesn't know the calling AE title",
  "1:7": "it isn't the called AE title",
  "3:1": "it is busy",
  "3:2": "its limit of connections is reached",
};
const rejectionHint = "Check the AE titles at both sides: the PACS's configuration has to list this one.";

/** `AET@host:port`, as dcm4che's tools write it. */
function parseAddress(address: string): Peer {
  const [, aet, host, port] = /^([^@\\\s]{1,16})@(\[[\da-fA-F:]+\]|[^@:\s]+):(\d{1,5})$/.exec(address) ?? [];
  if (aet === undefined || host === undefined || Number(port) > 65_535)
    throw new PacsError(`"${address}"`, "no address of a DICOM node", {
      hint: "Expected AET@host:port, as ORTHANC@pacs:4242",
    });
  return { aet, host: host.replace(/[[\]]/g, ""), port: Number(port) };
}

/** Whether the optional package for it is installed, and loads. */
export const dimseAvailable = (): Promise<boolean> =>
  library().then(
    () => true,
    () => false,
  );

async function library(): Promise<Dimse> {
  try {
    // CommonJS: Node puts it under `default`, of which its types don't know.
    const { default: dimse } = (await import("dcmjs-dimse")) as unknown as { default: Dimse };
    dimse.log.setLevel("silent"); // it would print on stdout; what matters arrives as events
    return dimse;
  } catch (cause) {
    throw new MissingPackageError("dcmjs-dimse", "storing by C-STORE", {
      cause,
      hint: "npm install dcmjs-dimse, or store by DICOMweb.",
    });
  }
}
