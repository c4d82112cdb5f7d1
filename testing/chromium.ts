import { createRequire } from "node:module";
import { dirname } from "node:path";
import { type Browser, chromium, type LaunchOptions, type Page } from "playwright-core";
import { programAt } from "./peers.ts";
import { type Place, serve } from "./serve.ts";

export type { Browser, Page } from "playwright-core";

/** Debian's Chromium, headless. As root it starts without its sandbox only. */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = programAt("chromium");
  const options: LaunchOptions = { args: ["--no-sandbox", ...args] };
  return chromium.launch(executablePath === undefined ? options : { ...options, executablePath });
}

/** Chromium's arguments for drawing and computing by SwiftShader, on a machine with no GPU. */
export const softwareGl = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
export const softwareWebGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

/** `import * as ort from "/ort/ort.wasm.min.mjs"` (or `ort.webgpu.min.mjs`) in a page: onnxruntime-web, its WebAssembly beside it. */
export const ortWeb: Readonly<Record<string, Place>> = {
  "/ort/": { folder: dirname(createRequire(import.meta.url).resolve("onnxruntime-web")) },
};

/** A browser with one origin of ours. Close it whatever happens. */
export type Site = {
  readonly browser: Browser;
  readonly url: string;
  /**
   * Runs an ES module in a fresh page, which is then closed, and returns what its default export makes of `given`. JSON goes in,
   * JSON and typed arrays come out. Throws what the module throws, and says what the page's console had of errors.
   */
  run<T>(module: string, given?: unknown): Promise<T>;
  close(): Promise<void>;
};

/**
 * Opens Chromium on a site of `places`.
 *
 * ```ts
 * const site = await openSite({ ...ortWeb, "/model.onnx": { content: bytes } });
 * const y = await site.run<Float32Array>(
 *   `import * as ort from "/ort/ort.wasm.min.mjs";
 *    export default async (x) => {
 *      const session = await ort.InferenceSession.create("/model.onnx");
 *      return (await session.run({ x: new ort.Tensor("float32", x, [1, x.length]) })).y.data;
 *    }`,
 *   [1, 2, 3],
 * );
 * await site.close();
 * ```
 */
export async function openSite(places: Readonly<Record<string, Place>>, args: readonly string[] = []): Promise<Site> {
  const modules: string[] = [];
  const server = await serve({
    "/blank.html": { content: "<!doctype html>" },
    "/module/": ({ url }, response) => {
      const module = modules[Number.parseInt(url!.slice("/module/".length), 10)];
      response.writeHead(module === undefined ? 404 : 200, { "Content-Type": "text/javascript" }).end(module);
    },
    ...places,
  });
  const browser = await launchChromium(args).catch(async (error) => {
    await server.close();
    throw error;
  });
  return {
    browser,
    url: server.url,
    run: async (module, given) => {
      const path = `/module/${modules.push(module) - 1}.mjs`;
      const page = await browser.newPage();
      const trouble = troubleOf(page);
      try {
        await page.goto(`${server.url}/blank.html`);
        // As text: what transforms this file would rewrite an import().
        return await page.evaluate(`import("${path}").then((module) => module.default(${JSON.stringify(given)}))`);
      } catch (cause) {
        throw new Error([(cause as Error).message, ...trouble].join("\n"), { cause });
      } finally {
        await page.close();
      }
    },
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

/** What a page reports of errors, as it goes on. */
function troubleOf(page: Page): string[] {
  const trouble: string[] = [];
  page.on("pageerror", ({ message }) => trouble.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") trouble.push(message.text());
  });
  return trouble;
}
