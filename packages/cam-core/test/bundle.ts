import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

export type Bundle = {
  /** One minified ES module. */
  readonly code: string;
  /** What it still imports when it runs, and what there is no such module of in a page: Node's, for one. */
  readonly imports: readonly string[];
  /** The files it is made of. */
  readonly files: readonly string[];
};

/**
 * An ES module and all it imports as a page would get it from a bundler, by the package's own export map. onnxruntime-web is
 * the page's: left outside, at `ortWeb`'s address.
 */
export async function bundle(module: string, ort = "/ort/ort.wasm.min.mjs"): Promise<Bundle> {
  const entry = "\0entry";
  const folder = fileURLToPath(new URL(".", import.meta.url)); // whose package's exports a bare "@camkit/cam-core/web" means
  const missing: string[] = [];
  const build = await rolldown({
    input: entry,
    cwd: folder,
    platform: "browser",
    external: ["onnxruntime-web"],
    resolve: { conditionNames: ["source", "import", "browser", "default"] },
    onLog: (level, log, otherwise) => {
      if (log.code === "UNRESOLVED_IMPORT") missing.push(log.message);
      else otherwise(level, log);
    },
    plugins: [
      {
        name: "entry",
        resolveId(source, importer) {
          if (source === entry) return entry;
          return importer === entry ? this.resolve(source, `${folder}entry.js`) : null;
        },
        load: (id) => (id === entry ? module : null),
      },
    ],
  });
  const { output } = await build.generate({
    format: "es",
    minify: true,
    codeSplitting: false,
    paths: { "onnxruntime-web": ort },
  });
  const [chunk] = output;
  await build.close();
  const imports = [...chunk.imports, ...chunk.dynamicImports, ...missing];
  return { code: chunk.code, imports, files: Object.keys(chunk.modules) };
}
