import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** What lies at a path: text or bytes, the files of a folder (`otherwise`: what stands for those that aren't there), or whatever answers. */
export type Place =
  | { readonly content: string | Uint8Array }
  | { readonly folder: string; readonly otherwise?: string }
  | ((incoming: IncomingMessage, response: ServerResponse) => void);

export type Server = { readonly url: string; close(): Promise<void> };

/**
 * Serves on loopback alone, on a free port. `places` is by path, the first that fits; one that ends with a slash has all
 * beneath it. Pages are isolated from other origins: WebAssembly's threads ask for it.
 */
export async function serve(places: Readonly<Record<string, Place>>): Promise<Server> {
  const server = createServer((incoming, response) => {
    const pathname = decodeURIComponent(new URL(incoming.url!, "http://loopback").pathname);
    const found = Object.entries(places).find(([at]) => (at.endsWith("/") ? pathname.startsWith(at) : pathname === at));
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (found === undefined) response.writeHead(404).end();
    else answer(found[1], pathname.slice(found[0].length), incoming, response, extname(pathname));
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

function answer(place: Place, rest: string, incoming: IncomingMessage, response: ServerResponse, ending: string): void {
  if (typeof place === "function") place(incoming, response);
  else if ("content" in place) response.writeHead(200, typed(ending)).end(place.content);
  else {
    const wanted = join(place.folder, normalize(`/${rest}`));
    const path = isFile(wanted) || place.otherwise === undefined ? wanted : join(place.folder, place.otherwise);
    if (!isFile(path)) return void response.writeHead(404).end();
    response.writeHead(200, typed(extname(path)));
    createReadStream(path).pipe(response);
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** By a file's ending; browsers compile WebAssembly and run modules only under their own types. */
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

function typed(ending: string): { "Content-Type": string } {
  return { "Content-Type": types[ending] ?? "application/octet-stream" };
}
