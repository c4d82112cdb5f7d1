import { PacsError, PacsUnreachableError } from "../errors.ts";

export type Part = { readonly headers: ReadonlyMap<string, string>; readonly bytes: Uint8Array };

export type PartLimits = {
  /** Of one part, in bytes. Default: 2 GiB. */
  readonly partBytes?: number;
};

/** A preamble, and the headers of a part, are a few lines; who sends more sends something else. */
const headerBytes = 65_536;
const dash = 0x2d;
const cr = 0x0d;
const lf = 0x0a;

/** The boundary of a multipart media type, quoted or not; undefined when it isn't one. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^multipart\//i.test(contentType)) return undefined;
  const found = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(contentType);
  return found?.[1]?.replace(/\\(.)/g, "$1") ?? found?.[2];
}

/**
 * The parts of a multipart body (RFC 2046, 5.1), one after the other as the bytes come: no more than one is held. A part that
 * states its length is taken at its word if a boundary follows there, so that one inside of its data does no harm; lines may
 * end in LF alone. `address` is for messages.
 * Throws PacsUnreachableError when the body ends before its closing boundary, PacsError when it isn't multipart or a part is
 * larger than the limit.
 */
export async function* parts(
  chunks: AsyncIterable<Uint8Array>,
  boundary: string,
  address: string,
  { partBytes = 2 ** 31 }: PartLimits = {},
): AsyncGenerator<Part> {
  const input = new Input(chunks, address);
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  try {
    await input.until(delimiter, 0, headerBytes, "no boundary at its start");
    for (let number = 1; ; number++) {
      if (await input.closes()) return;
      await input.line();
      const headers = await readHeaders(input, number);
      const declared = Number(headers.get("content-length") ?? Number.NaN);
      if (declared > partBytes) throw tooLarge(address, number, declared, partBytes);
      yield { headers, bytes: await input.part(delimiter, declared, partBytes, number) };
    }
  } finally {
    await input.end();
  }
}

async function readHeaders(input: Input, number: number): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  for (let size = 0; ; ) {
    const line = await input.line();
    if (line === "") return headers;
    size += line.length;
    const colon = line.indexOf(":");
    if (colon <= 0 || size > headerBytes) throw input.malformed(`part ${number} has no proper headers`);
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

/** Bytes that came and weren't taken yet, in one array that grows. */
class Input {
  private readonly source: AsyncIterator<Uint8Array>;
  private buffer = Buffer.alloc(0);
  private from = 0;
  private to = 0;

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly address: string,
  ) {
    this.source = chunks[Symbol.asyncIterator]();
  }

  async end(): Promise<void> {
    await this.source.return?.();
  }

  malformed(what: string): PacsError {
    return new PacsError(this.address, `its multipart answer can't be read: ${what}`);
  }

  /** Skips to behind the next `wanted`. */
  async until(wanted: Buffer, start: number, limit: number, complaint: string): Promise<void> {
    for (let searched = start; ; ) {
      const at = this.view().indexOf(wanted, searched);
      if (at >= 0) {
        this.from += at + wanted.length;
        return;
      }
      searched = Math.max(0, this.length - wanted.length + 1);
      if (searched > limit) throw this.malformed(complaint);
      await this.more(complaint);
    }
  }

  /** Whether two dashes follow a delimiter: then the body is over. */
  async closes(): Promise<boolean> {
    while (this.length < 2) await this.more("no line after a boundary");
    return this.view()[0] === dash && this.view()[1] === dash;
  }

  /** The rest of the line, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const at = this.view().indexOf(lf);
      if (at >= 0) {
        const text = this.view().subarray(0, at).toString("latin1");
        this.from += at + 1;
        return text.replace(/\r$/, "");
      }
      if (this.length > headerBytes) throw this.malformed("a line without end");
      await this.more("a part's headers");
    }
  }

  /** Bytes up to the next delimiter at the start of a line; the line's end before it belongs to the delimiter. */
  async part(delimiter: Buffer, declared: number, limit: number, number: number): Promise<Uint8Array> {
    const where = `part ${number}`;
    if (Number.isSafeInteger(declared) && declared >= 0) {
      this.reserve(Math.min(declared, 2 ** 26) + delimiter.length + 4); // what is stated may be a lie
      while (this.length < declared + delimiter.length + 2) await this.more(where);
      const eol = this.endOfLine(declared);
      if (eol > 0) {
        while (this.length < declared + eol + delimiter.length) await this.more(where);
        if (delimiter.equals(this.view().subarray(declared + eol, declared + eol + delimiter.length)))
          return this.take(declared, declared + eol + delimiter.length);
      }
    }
    for (let searched = 0; ; ) {
      const at = this.view().indexOf(delimiter, searched);
      if ((at < 0 ? this.length - delimiter.length : at - 2) > limit)
        throw tooLarge(this.address, number, at < 0 ? this.length : at - 2, limit);
      if (at >= 0) {
        const bytes = this.view();
        const eol = at > 1 && bytes[at - 1] === lf ? (bytes[at - 2] === cr ? 2 : 1) : 0;
        if (eol > 0) return this.take(at - eol, at + delimiter.length);
        searched = at + 1;
        continue;
      }
      searched = Math.max(searched, this.length - delimiter.length + 1);
      await this.more(where);
    }
  }

  private endOfLine(at: number): number {
    const bytes = this.view();
    if (bytes[at] === lf) return 1;
    return bytes[at] === cr && bytes[at + 1] === lf ? 2 : 0;
  }

  /** The first `length` bytes, for the caller to keep; what follows `next` goes on in an array of its own. */
  private take(length: number, next: number): Uint8Array {
    const taken = this.view().subarray(0, length);
    this.buffer = Buffer.from(this.view().subarray(next));
    this.from = 0;
    this.to = this.buffer.length;
    return taken;
  }

  private get length(): number {
    return this.to - this.from;
  }

  private view(): Buffer {
    return this.buffer.subarray(this.from, this.to);
  }

  private async more(where: string): Promise<void> {
    const { done, value } = await this.source.next();
    if (done) throw new PacsUnreachableError(this.address, `its answer ended in the middle: ${where}`);
    this.reserve(this.length + value.length);
    this.buffer.set(value, this.to);
    this.to += value.length;
  }

  /** Room for so many bytes from `from` on. */
  private reserve(bytes: number): void {
    if (this.from + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(bytes, 2 * this.length, 4096));
    this.view().copy(grown);
    this.to = this.length;
    this.from = 0;
    this.buffer = grown;
  }
}

function tooLarge(address: string, number: number, bytes: number, limit: number): PacsError {
  return new PacsError(address, `part ${number} of its answer has ${bytes} bytes or more, at most ${limit} are read`);
}

/** One part of a multipart body that is sent, its length known beforehand. */
export type OutgoingPart = { readonly contentType: string; readonly size: number; open(): AsyncIterable<Uint8Array> };

/** A multipart body (RFC 2046) with its total length, for servers that want to know it; parts are opened one by one. */
export function multipart(boundary: string, outgoing: readonly OutgoingPart[]) {
  const heads = outgoing.map(({ contentType, size }, i) =>
    Buffer.from(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Length: ${size}\r\n\r\n`,
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const size = outgoing.reduce((sum, part, i) => sum + part.size + heads[i]!.length, tail.length);
  async function* open(): AsyncGenerator<Uint8Array> {
    for (const [i, part] of outgoing.entries()) {
      yield heads[i]!;
      yield* part.open();
    }
    yield tail;
  }
  return { size, open };
}
