import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTls } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withoutPeers } from "../../../../testing/peers.ts";
import { type TinyPacs, tinyPacs } from "../../test/tiny-pacs.ts";
import { ctImageStorage } from "../write/ct-series.ts";
import { part10 } from "../write/part10.ts";
import { type DicomwebOptions, dicomweb } from "./client.ts";
import { authorizationFrom } from "./credentials.ts";
import { headOfBytes } from "./head.ts";
import { findInstances, findStudies } from "./query.ts";
import { retrieve } from "./retrieve.ts";
import { pacsSource } from "./source.ts";

let pacs: TinyPacs;
beforeEach(async () => {
  pacs = await tinyPacs();
});
afterEach(() => pacs.close());

const uids = { study: "1.2.3", series: "1.2.3.4" };

/** Puts so many instances there, without asking how. */
function hold(count: number): void {
  for (let k = 1; k <= count; k++) {
    const bytes = Buffer.from(instance(`1.2.3.4.${k}`));
    pacs.held.set(`1.2.3.4.${k}`, { ...headOfBytes(bytes, "a test"), bytes, times: 1 });
  }
}

const instance = (sopInstanceUid: string) =>
  part10({
    SOPClassUID: ctImageStorage,
    SOPInstanceUID: sopInstanceUid,
    Modality: "CT",
    StudyInstanceUID: uids.study,
    SeriesInstanceUID: uids.series,
  });

const quick: DicomwebOptions = { firstDelayMs: 5, attempts: 3 };

async function count(options: DicomwebOptions = {}): Promise<number> {
  let found = 0;
  for await (const _ of findInstances(dicomweb(pacs.url, { ...quick, ...options }), uids)) found++;
  return found;
}
const failure = (options: DicomwebOptions = {}) => count(options).catch((error: unknown) => error);

describe("queries", () => {
  test("go on page by page until nothing new comes", async () => {
    hold(7);
    pacs.misbehave = (request) => {
      request.url = request.url!.replace("limit=1000", "limit=3"); // a server with a cap of its own
      return false;
    };
    expect(await count()).toBe(7);
    expect(pacs.requests.map((url) => new URL(url.slice(4), pacs.url).searchParams.get("offset"))).toEqual([
      "0",
      "3",
      "6",
      "7",
    ]);
  });

  test("end where the server knows no offset", async () => {
    hold(7);
    pacs.misbehave = (request) => {
      request.url = request.url!.replace(/offset=\d+/, "offset=0");
      return false;
    };
    expect(await count()).toBe(7);
    expect(pacs.requests).toHaveLength(2);
  });

  test("say nothing but UIDs in paths", async () => {
    const search = findInstances(dicomweb(pacs.url), { study: "../../secret", series: "1" });
    await expect(search.next()).rejects.toThrow("studies/../../secret: not a UID");
  });
});

describe("what may pass is asked again", () => {
  test.each([429, 502, 503, 504])("status %d", async (status) => {
    hold(2);
    let failures = 2;
    pacs.misbehave = (_, response) => {
      if (failures-- <= 0) return false;
      response.writeHead(status).end();
      return true;
    };
    expect(await count()).toBe(2);
    expect(pacs.requests).toHaveLength(2 + 2);
  });

  test("not sooner than the server says", async () => {
    const times: number[] = [];
    pacs.misbehave = (_, response) => {
      times.push(performance.now());
      if (times.length > 1) return false;
      response.writeHead(503, { "Retry-After": "1" }).end();
      return true;
    };
    await count();
    expect(times[1]! - times[0]!).toBeGreaterThan(990);
  });

  test("a connection cut, an answer cut, an answer that stops", async () => {
    hold(2);
    const tricks = ["cut", "half", "silence"];
    pacs.misbehave = (_, response) => {
      const trick = tricks.shift();
      if (trick === "half" || trick === "silence") {
        response.writeHead(200, { "Content-Type": "application/dicom+json", "Content-Length": 100 });
        response.write("[{");
      }
      if (trick === "cut" || trick === "half") setTimeout(() => response.destroy(), 5);
      return trick !== undefined;
    };
    expect(await count({ attempts: 4, idleMs: 300 })).toBe(2);
    expect(tricks).toEqual([]);
  });

  test("until it has been asked often enough", async () => {
    pacs.misbehave = (_, response) => {
      response.writeHead(503).end("try later");
      return true;
    };
    expect(await failure()).toMatchObject({
      code: "pacs-unreachable",
      status: 503,
      message: expect.stringContaining("/instances: answers 503 Service Unavailable: try later"),
    });
    expect(pacs.requests).toHaveLength(3);
  });

  test("not what is wrong for good", async () => {
    pacs.misbehave = (_, response) => {
      response.writeHead(400).end(JSON.stringify({ Message: "Bad request" }));
      return true;
    };
    expect(await failure()).toMatchObject({ code: "pacs", status: 400, message: expect.stringMatching(/Bad request/) });
    expect(pacs.requests).toHaveLength(1);
  });
});

describe("credentials", () => {
  test("come from the environment, reach the server, and appear in no message", async () => {
    const seen: (string | undefined)[] = [];
    pacs.misbehave = (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end();
      return true;
    };
    const basic = authorizationFrom({ CAMKIT_DICOMWEB_USER: "jo", CAMKIT_DICOMWEB_PASSWORD: "pässword" });
    const bearer = authorizationFrom({ CAMKIT_DICOMWEB_TOKEN: "s3cret\n" });
    const errors = [await failure({ authorization: basic }), await failure({ authorization: bearer })];
    expect(seen).toEqual(["Basic am86cMOkc3N3b3Jk", "Bearer s3cret"]); // as `printf jo:pässword | base64` has it
    expect(errors[0]).toMatchObject({ status: 401, hint: expect.stringContaining("CAMKIT_DICOMWEB_TOKEN") });
    expect(JSON.stringify(errors.map((error) => [String(error), error]))).not.toMatch(/s3cret|am86/);
    expect(authorizationFrom({})).toBeUndefined();
  });

  test("that no header can carry are refused without being shown", () => {
    const error = (() => {
      try {
        return authorizationFrom({ CAMKIT_DICOMWEB_TOKEN: "two\nlines" });
      } catch (thrown) {
        return String(thrown);
      }
    })();
    expect(error).toMatch(/CAMKIT_DICOMWEB_TOKEN: a character in it can't be sent/);
    expect(error).not.toMatch(/lines/);
  });

  test("stay with the server they are meant for", async () => {
    const other = await tinyPacs();
    const seen: unknown[] = [];
    other.misbehave = (request) => {
      seen.push(request.headers.authorization);
      return false;
    };
    pacs.misbehave = (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { Location: other.url + request.url!.slice("/dicom-web".length) }).end();
      return true;
    };
    expect(await count({ authorization: "Bearer t" })).toBe(0);
    expect(seen).toEqual(["Bearer t", undefined]);
    await other.close();
  });
});

describe("what isn't DICOMweb is said", () => {
  test("a login page", async () => {
    pacs.misbehave = (request, response) => {
      if (request.url!.startsWith("/login"))
        response.writeHead(200, { "Content-Type": "text/html" }).end("<html><title>Sign in</title>");
      else response.writeHead(302, { Location: "/login" }).end();
      return true;
    };
    expect(await failure()).toMatchObject({
      code: "pacs",
      message: expect.stringMatching(/\/login: answers with a web page \("Sign in"\), expected DICOMweb/),
    });
  });

  test("something else with a success", async () => {
    pacs.misbehave = (_, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" }).end("It works!");
      return true;
    };
    expect(await failure()).toMatchObject({
      message: expect.stringMatching(/answers text\/plain, expected DICOM JSON; it starts "It works!"/),
    });
  });

  test.each([
    ["pacs:8042/dicom-web", /pacs:: not a protocol of DICOMweb/],
    ["dicom-web", /"dicom-web" is no URL/],
    ["http://jo:secret@pacs/dicom-web", /^http:\/\/pacs\/dicom-web: a name or password in the URL/],
    ["http://pacs/dicom-web?x=1", /a query or fragment/],
  ])("%s is no base URL", (url, message) => {
    expect(() => dicomweb(url)).toThrow(message);
    expect(() => dicomweb(url)).not.toThrow(/secret/);
  });

  test("a patient's name isn't repeated in messages", async () => {
    pacs.misbehave = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    const search = findStudies(dicomweb(pacs.url), { PatientName: "Doe*" });
    const error = await search.next().catch((thrown: unknown) => String(thrown));
    expect(error).toMatch(/studies: answers 403/);
    expect(error).not.toMatch(/Doe/);
  });
});

describe("connections that can't be made", () => {
  test("nobody listens, no such host", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((ready) => closed.once("listening", ready));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const at = (url: string) => findStudies(dicomweb(url, quick)).next();
    await expect(at(`http://127.0.0.1:${port}/dicom-web`)).rejects.toMatchObject({
      code: "pacs-unreachable",
      message: expect.stringMatching(/studies: nothing listens there/),
    });
    await expect(at("http://pacs.invalid/dicom-web")).rejects.toMatchObject({
      message: expect.stringMatching(/no such host|can't be looked up/),
    });
    await expect(at(pacs.url.replace("http:", "https:"))).rejects.toMatchObject({
      code: "pacs",
      message: expect.stringMatching(/doesn't speak TLS on this port/),
    });
  });

  test.skipIf(withoutPeers("openssl"))("a certificate that nobody vouches for", async () => {
    const folder = mkdtempSync(join(tmpdir(), "camkit-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"];
    execFileSync("openssl", [...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    await expect(findStudies(dicomweb(url, quick)).next()).rejects.toMatchObject({
      code: "pacs",
      message: expect.stringMatching(/its TLS certificate is self-signed/),
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
    server.close();
    rmSync(folder, { recursive: true });
  });

  test("told to stop, it stops", async () => {
    pacs.misbehave = () => true; // never answers
    const controller = new AbortController();
    const waiting = failure({ signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    expect(await waiting).toMatchObject({ code: "aborted" });
  });
});

describe("files", () => {
  const names = async (options: DicomwebOptions = quick) => {
    const found: string[] = [];
    for await (const { name } of pacsSource(dicomweb(pacs.url, options), uids)) found.push(name.split(".").at(-1)!);
    return found;
  };

  test("a series that breaks off is completed, each instance once", async () => {
    hold(5);
    pacs.misbehave = (request, response) => {
      if (!request.url!.endsWith("/series/1.2.3.4")) return false;
      const two = [...pacs.held.values()].slice(0, 2);
      response.writeHead(200, { "Content-Type": "multipart/related; boundary=x" });
      for (const { bytes } of two)
        response.write(Buffer.concat([Buffer.from("--x\r\n\r\n"), bytes, Buffer.from("\r\n")]));
      response.write("--x\r\n\r\nhalf of");
      setTimeout(() => response.destroy(), 5);
      return true;
    };
    expect((await names()).sort()).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("an instance that comes twice counts once; one that never comes is named", async () => {
    hold(2);
    pacs.misbehave = (request, response) => {
      if (!/instances\/|series\/1\.2\.3\.4$/.test(request.url!)) return false;
      const { bytes } = pacs.held.get("1.2.3.4.1")!;
      response.writeHead(200, { "Content-Type": "application/dicom" }).end(bytes);
      return true;
    };
    await expect(names()).rejects.toThrow(/instances\/1\.2\.3\.4\.2: the PACS lists it, but answers with another/);
  });

  test("an instance that is damaged comes too, under its name: who reads it says so", async () => {
    hold(3);
    pacs.held.get("1.2.3.4.2")!.bytes.fill(0, 128, 200);
    expect((await names()).sort()).toEqual(["1", "2", "3"]);
  });

  test("a server that refuses transfer-syntax=* is asked without", async () => {
    hold(1);
    pacs.misbehave = (request, response) => {
      if (!request.headers.accept?.includes("transfer-syntax")) return false;
      response.writeHead(406).end();
      return true;
    };
    expect(await names()).toEqual(["1"]);
  });

  test("memory holds one instance: a part larger than the limit is refused", async () => {
    hold(1);
    const files = retrieve(dicomweb(pacs.url), uids, { partBytes: 100 });
    await expect(files.next()).rejects.toThrow(/part 1 of its answer has \d+ bytes or more, at most 100/);
  });
});
