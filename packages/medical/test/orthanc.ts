import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { programAt } from "../../../testing/peers.ts";

/** A PACS of its own for a test: Debian's Orthanc with its DICOMweb plugin, storage in a temporary folder. */
export type Orthanc = {
  /** Base URLs: Orthanc's own interface, DICOMweb. */
  readonly rest: string;
  readonly dicomweb: string;
  /** On 127.0.0.1; the application entity title is ORTHANC. */
  readonly dicomPort: number;
  /** SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits until it is gone; `start` then starts it again on the same storage. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
};

/** Well under a second on an idle machine. */
const startsWithinMs = 30_000;

const plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/**
 * This Orthanc binds every interface whatever its settings, so it runs in a network namespace of its own, where it can't be
 * reached: a relay in there carries connections from a Unix socket to its port, one outside from loopback to that socket.
 * Where namespaces aren't allowed it listens on random ports, with RemoteAccessAllowed off.
 */
export async function startOrthanc(settings: Readonly<Record<string, unknown>> = {}): Promise<Orthanc> {
  const folder = await mkdtemp(join(tmpdir(), "camkit-orthanc-"));
  const inside = (await isolation(folder)) ?? undefined;
  const ports = inside ? { http: 8042, dicom: 4242 } : { http: await freePort(), dicom: await freePort() };
  const config = {
    Name: "camkit",
    StorageDirectory: join(folder, "storage"),
    IndexDirectory: join(folder, "storage"),
    HttpPort: ports.http,
    DicomPort: ports.dicom,
    DicomAet: "ORTHANC",
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowEcho: true,
    UnknownSopClassAccepted: true,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    Plugins: [plugin],
    DicomWeb: { Enable: true, Root: "/dicom-web/", StudiesMetadata: "Full", SeriesMetadata: "Full" },
    ...settings,
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));

  const relays = inside ? [await relay(inside.sockets.http), await relay(inside.sockets.dicom)] : [];
  const httpPort = relays[0] ? portOf(relays[0]) : ports.http;
  const rest = `http://127.0.0.1:${httpPort}`;
  let orthanc: ChildProcess | undefined;

  async function start(): Promise<void> {
    const command = [...(inside?.prefix ?? []), programAt("Orthanc") ?? "Orthanc", join(folder, "config.json")];
    orthanc = spawn(command[0]!, command.slice(1), { stdio: "ignore" });
    for (const deadline = Date.now() + startsWithinMs; Date.now() < deadline; ) {
      await sleep(50);
      if (orthanc.exitCode !== null) throw new Error(`Orthanc ended with ${orthanc.exitCode}`);
      const answers = await fetch(`${rest}/system`, { signal: AbortSignal.timeout(1000) }).then(
        (response) => response.ok || response.status === 401,
        () => false,
      );
      if (answers) return;
    }
    throw new Error(`Orthanc didn't answer within ${startsWithinMs / 1000} s`);
  }

  async function kill(): Promise<void> {
    if (orthanc === undefined || orthanc.exitCode !== null || orthanc.signalCode !== null) return;
    orthanc.kill("SIGKILL");
    await once(orthanc, "exit");
  }

  async function close(): Promise<void> {
    await kill();
    for (const server of relays) server.close();
    inside?.holder.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    rest,
    dicomweb: `${rest}/dicom-web`,
    dicomPort: relays[1] ? portOf(relays[1]) : ports.dicom,
    signal: (signal) => orthanc?.kill(signal),
    kill,
    start,
    close,
  };
}

/** Carries bytes both ways; a side that is cut off cuts off the other. Runs inside of the namespace. */
const relayInside = `
const { createServer, connect } = require("node:net");
process.stdin.on("end", () => process.exit()).resume(); // with the test's process
let listening = 0;
for (const [path, port] of [[process.argv[1], 8042], [process.argv[2], 4242]])
  createServer((outside) => {
    const server = connect(port, "127.0.0.1");
    outside.pipe(server).pipe(outside);
    for (const [a, b] of [[outside, server], [server, outside]]) a.on("error", () => {}).on("close", () => b.destroy());
  }).listen(path, () => { if (++listening === 2) console.log("ready"); });
`;

/** A network namespace with nothing but loopback, kept open by the relay in it; undefined where that isn't allowed. */
async function isolation(folder: string) {
  const sockets = { http: join(folder, "http.sock"), dicom: join(folder, "dicom.sock") };
  const script = 'ip link set lo up && exec "$0" -e "$1" "$2" "$3"';
  const holder = spawn(
    "unshare",
    ["-rn", "sh", "-c", script, process.execPath, relayInside, sockets.http, sockets.dicom],
    { stdio: ["pipe", "pipe", "ignore"] },
  );
  const ready = await Promise.race([
    once(holder.stdout!, "data").then(() => true),
    once(holder, "exit").then(() => false),
    once(holder, "error").then(() => false),
  ]).catch(() => false);
  if (!ready) return undefined;
  // A test that is killed can't end Orthanc; the kernel then does.
  const prefix = ["nsenter", "--preserve-credentials", "-U", "-n", "-t", String(holder.pid)];
  if (programAt("setpriv")) prefix.push("setpriv", "--pdeathsig", "KILL");
  return { sockets, holder, prefix };
}

async function relay(path: string): Promise<Server> {
  const server = createServer((client) => {
    const socket = connect(path);
    client.pipe(socket).pipe(client);
    client.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("error", () => {}).on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}
