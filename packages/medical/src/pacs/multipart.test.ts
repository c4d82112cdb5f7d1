import { createRng } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { PacsError } from "../errors.ts";
import { boundaryOf, multipart, type Part, parts } from "./multipart.ts";

const address = "http://pacs/studies";

/** Hands the text over in pieces of `size`, always in the same array, overwritten: a borrowed view is caught. */
async function* pieces(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const shared = new Uint8Array(size);
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    shared.set(piece);
    yield shared.subarray(0, piece.length);
  }
}

async function read(body: string | Uint8Array, size = 7, limits = {}): Promise<Part[]> {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const read: Part[] = [];
  for await (const part of parts(pieces(bytes, size), "b0", address, limits)) read.push(part);
  return read;
}

const texts = (read: readonly Part[]) => read.map(({ bytes }) => Buffer.from(bytes).toString("latin1"));

test.each([1, 2, 3, 5, 64, 10_000])("parts come out as they went in, in pieces of %d bytes", async (size) => {
  const body =
    "preamble\r\n--b0\r\nContent-Type: application/dicom\r\n\r\nfirst\r\n\r\n--b0  \r\nX: 1\r\n\r\n\r\n--b0\r\n\r\nthird\n\r\n--b0--\r\nepilogue";
  const found = await read(body, size);
  expect(texts(found)).toEqual(["first\r\n", "", "third\n"]);
  expect(found[0]!.headers.get("content-type")).toBe("application/dicom");
  expect(found[1]!.headers.get("x")).toBe("1");
});

test("a boundary inside of a part does no harm where its length is stated, a wrong length neither", async () => {
  const inside = "ab\r\n--b0\r\ncd";
  const body = `--b0\r\nContent-Length: ${inside.length}\r\n\r\n${inside}\r\n--b0\r\nContent-Length: 2\r\n\r\nlonger\r\n--b0--`;
  expect(texts(await read(body))).toEqual([inside, "longer"]);
});

test("a dash-dash-boundary in the middle of a line is data; lines may end in LF alone", async () => {
  expect(texts(await read("--b0\nA: b\n\nx--b0y\n--b0--\n"))).toEqual(["x--b0y"]);
});

test("what was sent is what arrives, and has the stated length", async () => {
  const contents = [Buffer.alloc(100_000, 1), Buffer.alloc(0), Buffer.from("\r\n--b0")];
  const outgoing = contents.map((bytes) => ({
    contentType: "application/dicom",
    size: bytes.length,
    async *open() {
      yield bytes.subarray(0, 3);
      yield bytes.subarray(3);
    },
  }));
  const body = multipart("b0", outgoing);
  const sent: Uint8Array[] = [];
  for await (const chunk of body.open()) sent.push(chunk);
  const bytes = Buffer.concat(sent);
  expect(bytes.length).toBe(body.size);
  const found = await read(bytes, 4096);
  expect(found.map((part, i) => Buffer.compare(part.bytes, contents[i]!))).toEqual([0, 0, 0]);
});

test.each([
  ["--b0\r\n\r\nhalf a pa", "pacs-unreachable", /ended in the middle: part 1/],
  ["--b0\r\n\r\none\r\n--b0\r\nContent-Length: 10\r\n\r\n1234", "pacs-unreachable", /ended in the middle: part 2/],
  ["--b0\r\n\r\none\r\n--b0", "pacs-unreachable", /ended in the middle: no line after a boundary/],
  ["{}", "pacs-unreachable", /no boundary at its start/],
  ["--b0\r\nno header\r\n\r\n", "pacs", /part 1 has no proper headers/],
  [`--b0\r\n\r\n${"x".repeat(3000)}\r\n--b0--`, "pacs", /part 1 .* at most 2000/],
  ["--b0\r\nContent-Length: 99999999\r\n\r\n", "pacs", /99999999 bytes or more, at most 2000/],
])("%j is refused by name", async (body, code, message) => {
  const failed = await read(body, 7, { partBytes: 2000 }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code, message: expect.stringMatching(message) });
});

test("damaged bodies give parts or a named error, and come to an end", async () => {
  const rng = createRng(7);
  const body = Buffer.from(
    `preamble\r\n${["first", "x".repeat(300), "", "\r\n"].map((text) => `--b0\r\nContent-Length: ${text.length}\r\n\r\n${text}\r\n`).join("")}--b0--\r\n`,
  );
  const outcomes = new Set<string>();
  for (let round = 0; round < 400; round++) {
    const damaged = Buffer.from(body.subarray(0, rng.integer(body.length >> 1, body.length)));
    for (let n = rng.integer(0, 4); n > 0; n--) damaged[rng.integer(0, damaged.length - 1)] = rng.integer(0, 255);
    const outcome = await read(damaged, 50).then(
      (found) => `${found.length} parts`,
      (error: unknown) => (error instanceof PacsError ? error.code : String(error)),
    );
    outcomes.add(outcome);
  }
  const known = ["pacs", "pacs-unreachable", ...[0, 1, 2, 3, 4].map((n) => `${n} parts`)];
  expect([...outcomes].filter((outcome) => !known.includes(outcome))).toEqual([]);
  expect(outcomes).toContain("pacs-unreachable");
  expect(outcomes).toContain("4 parts");
});

test("boundaries, quoted and not", () => {
  expect(boundaryOf('multipart/related; type="application/dicom"; boundary="a \\"b"')).toBe('a "b');
  expect(boundaryOf("Multipart/Related;boundary=xyz; type=application/dicom")).toBe("xyz");
  expect(boundaryOf("application/dicom+json; boundary=x")).toBeUndefined();
});
