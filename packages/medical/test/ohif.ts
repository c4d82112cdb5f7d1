import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Server, serve } from "../../../testing/serve.ts";

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

/** Serves the viewer, and a PACS's DICOMweb beside it: one origin, as browsers want it. */
export function serveOhif(folder: string, dicomweb: string): Promise<Server> {
  return serve({
    "/dicom-web/": (incoming, response) => forward(incoming, response, dicomweb),
    "/app-config.js": { content: config },
    "/": { folder, otherwise: "index.html" },
  });
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
