import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

/** The release that is tried; too large for a dependency, so it lies in a cache of its own. */
const release = "@ohif/app@3.13.2";

/**
 * Where the built viewer lies: CAMKIT_OHIF, or unpacked from its npm package into a folder that stays. Undefined, with the
 * reason printed, where it is neither there nor asked for by CAMKIT_PEERS=1.
 */
export function ohifFolder(): string | undefined {
  const cached = join(tmpdir(), "camkit-cache", release.replace(/[^\w.]+/g, "-").slice(1));
  const given = process.env.CAMKIT_OHIF;
  if (given !== undefined) return given;
  if (existsSync(join(cached, "index.html"))) return cached;
  if (process.env.CAMKIT_PEERS !== "1") {
    console.warn(`skipped: no ${release}. Set CAMKIT_OHIF to its dist folder, or CAMKIT_PEERS=1 to fetch it`);
    return undefined;
  }
  const work = `${cached}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", release], { cwd: work, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", packed], { cwd: work });
  if (!existsSync(cached)) renameSync(join(work, "package/dist"), cached);
  rmSync(work, { recursive: true, force: true });
  return cached;
}

export type OhifServer = { readonly url: string; close(): Promise<void> };

/** Serves the viewer, and a PACS's DICOMweb beside it: one origin, as browsers want it. Listens on loopback alone. */
export async function serveOhif(folder: string, dicomweb: string): Promise<OhifServer> {
  const server = createServer((incoming, response) => {
    const { pathname } = new URL(incoming.url!, "http://viewer");
    // What WebAssembly with threads asks for.
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (pathname.startsWith("/dicom-web/")) return forward(incoming, response, dicomweb);
    if (pathname === "/app-config.js")
      return void response.writeHead(200, { "Content-Type": types[".js"] }).end(config);
    const path = join(folder, normalize(pathname));
    const found = existsSync(path) && statSync(path).isFile() ? path : join(folder, "index.html");
    response.writeHead(200, { "Content-Type": types[extname(found)] ?? "application/octet-stream" });
    createReadStream(found).pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function forward(incoming: IncomingMessage, response: ServerResponse, dicomweb: string): void {
  const { host: _, ...headers } = incoming.headers;
  const target = `${dicomweb}${incoming.url!.slice("/dicom-web".length)}`;
  const onward = request(target, { method: incoming.method!, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  incoming.pipe(onward);
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** OHIF's settings: one data source, Orthanc by way of this server. */
const config = `window.config = {
  routerBasename: "/",
  extensions: [],
  modes: [],
  showStudyList: true,
  maxNumberOfWebWorkers: 1,
  showLoadingIndicator: true,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  investigationalUseDialog: { option: "never" },
  strictZSpacingForVolumeViewport: true,
  defaultDataSourceName: "orthanc",
  dataSources: [{
    namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
    sourceName: "orthanc",
    configuration: {
      friendlyName: "Orthanc",
      name: "orthanc",
      wadoUriRoot: "/dicom-web",
      qidoRoot: location.origin + "/dicom-web",
      wadoRoot: location.origin + "/dicom-web",
      qidoSupportsIncludeField: false,
      imageRendering: "wadors",
      thumbnailRendering: "wadors",
      enableStudyLazyLoad: true,
      supportsFuzzyMatching: false,
      supportsWildcard: true,
      dicomUploadEnabled: false,
      omitQuotationForMultipartRequest: true,
      bulkDataURI: { enabled: true },
    },
  }],
};`;
