import { AbortedError } from "@camkit/cam-core/data";
import { PacsError, PacsUnreachableError } from "../errors.ts";
import { failureOf, passingStatuses, statusHints } from "./failures.ts";

export type Request = {
  readonly headers: Readonly<Record<string, string>>;
  /** Opened anew for every attempt. Makes it a POST, which isn't repeated unless it certainly wasn't processed. */
  readonly body?: () => AsyncIterable<Uint8Array>;
  /** Statuses other than success that `take` wants to see. */
  readonly accepts?: readonly number[];
};

/** An answer whose status is a success, or accepted. */
export type Answer = {
  readonly address: string;
  readonly status: number;
  readonly contentType: string;
  /** The body, as it comes. Throws PacsUnreachableError when it stops; whoever starts it should end it. */
  readonly chunks: AsyncIterable<Uint8Array>;
};

/** RFC 9110, 15.4; the ones that keep method and body. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const keepingRedirects: ReadonlySet<number> = new Set([307, 308]);

/** What may pass: `unprocessed` when the server certainly did nothing with the request. */
export class Passing extends Error {
  constructor(
    readonly error: PacsUnreachableError,
    readonly unprocessed: boolean,
    readonly retryAfterMs = 0,
  ) {
    super(error.message);
  }
}

/** One attempt: a request sent, redirects followed, the answer's body read under a clock. */
export class Exchange {
  private readonly controller = new AbortController();
  private clock: NodeJS.Timeout | undefined;
  private readonly stop = () => this.controller.abort();
  private timedOut = false;
  /** What went wrong where the request's body comes from. */
  private bodyError: unknown;
  private address: string;

  constructor(
    private readonly target: string,
    private readonly client: { headers: Record<string, string>; idleMs: number; signal: AbortSignal | undefined },
    private readonly wanted: Request,
  ) {
    this.address = shown(target);
    this.wind();
    if (client.signal?.aborted) this.controller.abort();
    client.signal?.addEventListener("abort", this.stop);
  }

  /** From now on, so long without a byte is too long. */
  private wind(): void {
    clearTimeout(this.clock);
    this.clock = setTimeout(() => {
      this.timedOut = true;
      this.controller.abort();
    }, this.client.idleMs);
    this.clock.unref(); // the connection itself keeps the process alive
  }

  close(): void {
    clearTimeout(this.clock);
    this.client.signal?.removeEventListener("abort", this.stop);
    this.controller.abort();
  }

  async answer(): Promise<Answer> {
    const response = await this.follow();
    this.wind();
    const { status } = response;
    const contentType = response.headers.get("content-type") ?? "";
    const answer = { address: this.address, status, contentType, chunks: this.chunks(response) };
    if (response.ok || this.wanted.accepts?.includes(status)) {
      if (status !== 204 && /^text\/html/i.test(contentType)) throw await this.page(answer);
      return answer;
    }
    throw await this.refusal(response, answer);
  }

  private async follow(): Promise<Response> {
    const { headers, body } = this.wanted;
    let url = this.target;
    let sent: Record<string, string> = { ...this.client.headers, ...headers };
    for (let hops = 0; ; hops++) {
      const response = await this.fetch(url, sent);
      const location = response.headers.get("location");
      if (!redirects.has(response.status) || location === null) return response;
      const next = new URL(location, url);
      await response.body?.cancel();
      const hint = "Use the new address in the URL, if it is the PACS and not a login page.";
      if (hops === 5) throw new PacsError(this.address, "redirects without end", { status: response.status, hint });
      if (body !== undefined && !keepingRedirects.has(response.status))
        throw new PacsError(this.address, `moved to ${shown(next.href)}`, { status: response.status, hint });
      if (url.startsWith("https:") && next.protocol !== "https:")
        throw new PacsError(this.address, `redirects from https to ${shown(next.href)}`, { status: response.status });
      if (next.origin !== new URL(url).origin) sent = { ...headers }; // what is secret stays with the one it was meant for
      url = next.href;
      this.address = shown(url);
    }
  }

  private async fetch(url: string, headers: Record<string, string>): Promise<Response> {
    const { body } = this.wanted;
    try {
      return await fetch(url, {
        headers,
        redirect: "manual",
        signal: this.controller.signal,
        // `duplex` is undici's: a body that streams needs it.
        ...(body === undefined ? {} : ({ method: "POST", body: this.watched(body()), duplex: "half" } as object)),
      });
    } catch (cause) {
      throw this.failed(cause, true);
    }
  }

  private async *watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.wind();
        yield chunk;
      }
    } catch (error) {
      this.bodyError = error;
      throw error;
    }
  }

  private async *chunks(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    try {
      for (;;) {
        this.wind();
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done || value === undefined) return;
        clearTimeout(this.clock); // how long the caller thinks is not the server's fault
        yield value;
      }
    } catch (cause) {
      throw this.failed(cause, false);
    } finally {
      this.close();
    }
  }

  private failed(cause: unknown, connecting: boolean): Error {
    if (this.bodyError instanceof Error) return this.bodyError;
    if (this.client.signal?.aborted) return new AbortedError();
    if (this.timedOut) {
      const reason = `nothing came for ${this.client.idleMs / 1000} s`;
      return new PacsUnreachableError(this.address, reason, { cause });
    }
    const { reason, hint, again } = failureOf(cause);
    const details = { cause, ...(hint === undefined ? {} : { hint }) };
    if (!again) return new PacsError(this.address, reason, details);
    const error = new PacsUnreachableError(this.address, reason, details);
    const refused = reason === "nothing listens there";
    return connecting ? new Passing(error, refused) : error;
  }

  private async page(answer: Answer): Promise<PacsError> {
    const text = await startOf(answer, 65536);
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.replace(/\s+/g, " ").trim();
    return new PacsError(answer.address, `answers with a web page${title ? ` ("${title}")` : ""}, expected DICOMweb`, {
      status: answer.status,
      hint: "A login page or a proxy? Check the credentials, and the path in the URL: Orthanc has /dicom-web, dcm4chee /dcm4chee-arc/aets/<AET>/rs.",
    });
  }

  private async refusal(response: Response, answer: Answer): Promise<Error> {
    const { status, statusText } = response;
    const page = /^text\/html/i.test(answer.contentType);
    const said = page ? "" : (await startOf(answer, 2000)).replace(/\s+/g, " ").trim().slice(0, 300);
    const hint = statusHints[status];
    const reason = `answers ${status}${statusText ? ` ${statusText}` : ""}${said ? `: ${said}` : ""}`;
    const details = { status, ...(hint === undefined ? {} : { hint }) };
    this.close();
    if (!passingStatuses.has(status)) return new PacsError(answer.address, reason, details);
    // 429 and 503 come before anything was done; after the others, it may have been.
    return new Passing(
      new PacsUnreachableError(answer.address, reason, details),
      status === 429 || status === 503,
      retryAfterMs(response.headers.get("retry-after")),
    );
  }
}

/** The start of a body as text, for messages; whatever came before it broke off. */
async function startOf(answer: Answer, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.chunks) {
      parts.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // The status is what counts.
  }
  return Buffer.concat(parts).toString("utf8").slice(0, limit);
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** An address as messages show it: queries may hold a patient's name. */
export function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
