import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const app = join(import.meta.dirname, "..");
const engine = join(app, "../../packages/cam-core");

/** Builds the command line where it is missing or older than its source, and the engine under it where that is missing. */
export default function build(): void {
  if (!existsSync(join(engine, "dist/index.js"))) compile(engine);
  if (isStale()) compile(app);
}

function isStale(): boolean {
  const built = statSync(join(app, "dist/main.js"), { throwIfNoEntry: false });
  const sources = readdirSync(join(app, "src"), { recursive: true, encoding: "utf8" });
  return built === undefined || sources.some((file) => statSync(join(app, "src", file)).mtimeMs > built.mtimeMs);
}

function compile(folder: string): void {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = typescript.replace(/package\.json$/, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: folder, stdio: "inherit" });
}
