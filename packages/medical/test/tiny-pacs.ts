import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { headOfBytes, type InstanceHead } from "../src/pacs/head.ts";

/** A DICOMweb service as small as one can be, for what a real PACS can't be made to do. Listens on loopback alone. */
export type TinyPacs = {
  readonly url: string;
  /** What it holds, by SOP Instance UID, and how often each was stored. */
  readonly held: Map<string, InstanceHead & { readonly bytes: Buffer; times: number }>;
  /** Method and path with query, as they came. */
  readonly requests: string[];
  /** Answers a request itself, and says so, or leaves it alone. */
  misbehave: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean | Promise<boolean>;
  close(): Promise<void>;
};

export async function tinyPacs(): Promise<TinyPacs> {
  const held: TinyPacs["held"] = new Map();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const pacs: TinyPacs = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`,
    held,
    requests,
    misbehave: () => false,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
  return pacs;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (await pacs.misbehave(request, response, body)) return;
    const { pathname, searchParams } = new URL(request.url!, pacs.url);
    const [, , , study, , series, last, instance] = pathname.split("/");
    if (request.method === "POST") return json(response, 200, [store(body, request.headers["content-type"]!)]);
    const matches = [...held.values()].filter(
      (one) =>
        (!study || one.studyInstanceUid === study) &&
        (!series || one.seriesInstanceUid === series) &&
        (!instance || one.sopInstanceUid === instance),
    );
    if (pathname.endsWith("/series")) return json(response, 200, page(seriesOf([...held.values()]), searchParams));
    if (last === "instances" && instance === undefined)
      return json(response, 200, page(matches.map(described), searchParams));
    if (matches.length === 0) return json(response, 404, {});
    response.writeHead(200, { "Content-Type": 'multipart/related; type="application/dicom"; boundary=tiny' });
    for (const { bytes } of matches)
      response.write(Buffer.concat([Buffer.from("--tiny\r\nContent-Type: application/dicom\r\n\r\n"), bytes, crlf]));
    response.end("--tiny--\r\n");
  }

  function store(body: Buffer, contentType: string): object {
    const boundary = /boundary=(\S+)/.exec(contentType)![1]!;
    const stored: string[] = [];
    for (let at = body.indexOf(`--${boundary}\r\n`); at >= 0; ) {
      const from = body.indexOf("\r\n\r\n", at) + 4;
      const to = body.indexOf(`\r\n--${boundary}`, from);
      if (to < 0) break; // cut off
      const bytes = body.subarray(from, to);
      const head = headOfBytes(bytes, "a part");
      const times = (held.get(head.sopInstanceUid)?.times ?? 0) + 1;
      held.set(head.sopInstanceUid, { ...head, bytes, times });
      stored.push(head.sopInstanceUid);
      at = body.indexOf(`--${boundary}\r\n`, to);
    }
    return { "00081199": { vr: "SQ", Value: stored.map((uid) => attributes({ "00081155": uid })) } };
  }
}

const crlf = Buffer.from("\r\n");

const attributes = (values: Readonly<Record<string, string | number>>) =>
  Object.fromEntries(Object.entries(values).map(([tag, value]) => [tag, { vr: "UI", Value: [value] }]));

const described = ({ sopClassUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid }: InstanceHead) =>
  attributes({
    "00080016": sopClassUid,
    "00080018": sopInstanceUid,
    "0020000D": studyInstanceUid,
    "0020000E": seriesInstanceUid,
  });

function seriesOf(all: readonly InstanceHead[]): object[] {
  const counts = new Map<string, InstanceHead[]>();
  for (const one of all) counts.set(one.seriesInstanceUid, [...(counts.get(one.seriesInstanceUid) ?? []), one]);
  return [...counts.values()].map((of) =>
    attributes({
      "00080060": of[0]!.modality,
      "0020000D": of[0]!.studyInstanceUid,
      "0020000E": of[0]!.seriesInstanceUid,
      "00201209": of.length,
    }),
  );
}

const page = (all: readonly object[], query: URLSearchParams) =>
  all.slice(Number(query.get("offset"))).slice(0, Number(query.get("limit")));

function json(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { "Content-Type": "application/dicom+json" });
  response.end(JSON.stringify(content));
}
