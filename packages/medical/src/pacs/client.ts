import { setTimeout as sleep } from "node:timers/promises";
import { AbortedError } from "@camkit/cam-core/data";
import { PacsError, PacsUnreachableError } from "../errors.ts";
import { checkedHeader } from "./credentials.ts";
import { type Answer, Exchange, Passing, type Request, shown } from "./exchange.ts";

export type DicomwebOptions = {
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The value of the Authorization header: see `authorizationFrom`. */
  readonly authorization?: string | undefined;
  /** How long nothing may arrive or leave. Default: a minute. */
  readonly idleMs?: number;
  /** How often a request that may be repeated is made. Default: 5. */
  readonly attempts?: number;
  /** Before the second attempt; then twice that, and so on. Default: half a second. */
  readonly firstDelayMs?: number;
  readonly signal?: AbortSignal | undefined;
};

/** A DICOMweb service: PS3.18. */
export type DicomwebClient = {
  /** The service's base URL, without a slash at the end. */
  readonly url: string;
  readonly attempts: number;
  /** Waits before attempt n (1-based) is followed by another. */
  pause(attempt: number): Promise<void>;
  /**
   * Makes a request and gives the answer, whatever `take` makes of it. What may be repeated (`GET`) is, when the connection or
   * the server fails for the moment, also while `take` reads. Throws PacsError and PacsUnreachableError, by `signal` AbortedError.
   */
  request<T>(path: string, request: Request, take: (answer: Answer) => Promise<T>): Promise<T>;
};

const longestPauseMs = 60_000;

/** A client of the DICOMweb service at a base URL. Nothing is sent yet. Throws PacsError on what is no such URL. */
export function dicomweb(address: string, options: DicomwebOptions = {}): DicomwebClient {
  const { idleMs = 60_000, attempts = 5, firstDelayMs = 500, signal } = options;
  const url = checkedUrl(address);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = checkedHeader(name, value);
  if (options.authorization !== undefined)
    headers.Authorization = checkedHeader("Authorization", options.authorization);

  const pause = (attempt: number, atLeastMs = 0) =>
    rest(Math.min(Math.max(firstDelayMs * 2 ** (attempt - 1), atLeastMs), longestPauseMs), signal);

  return {
    url,
    attempts,
    pause: (attempt) => pause(attempt),
    async request(path, request, take) {
      for (let attempt = 1; ; attempt++) {
        const exchange = new Exchange(`${url}${path}`, { headers, idleMs, signal }, request);
        try {
          return await take(await exchange.answer());
        } catch (error) {
          exchange.close();
          const { error: reason, unprocessed, retryAfterMs } = error instanceof Passing ? error : asPassing(error);
          if (attempt >= attempts || (request.body !== undefined && !unprocessed)) throw reason;
          await pause(attempt, retryAfterMs);
        }
      }
    },
  };
}

/** A body that broke off is worth another attempt; anything else is thrown on. */
function asPassing(error: unknown): Passing {
  if (error instanceof PacsUnreachableError) return new Passing(error, false);
  throw error;
}

/** Waits; throws AbortedError when told to stop. */
async function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new AbortedError();
  }
}

function checkedUrl(address: string): string {
  const hint = "Expected the base URL of a DICOMweb service, as http://pacs:8042/dicom-web";
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new PacsError("the PACS's address", `"${address.replace(/\/\/[^/]*@/, "//…@")}" is no URL`, { hint });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new PacsError(url.protocol, "not a protocol of DICOMweb", { hint });
  if (url.username || url.password)
    throw new PacsError(shown(address), "a name or password in the URL would be seen by others on this machine", {
      hint: "Set CAMKIT_DICOMWEB_USER and CAMKIT_DICOMWEB_PASSWORD in the environment.",
    });
  if (url.search || url.hash) throw new PacsError(shown(address), "a query or fragment in a base URL", { hint });
  return shown(address).replace(/\/+$/, "");
}
