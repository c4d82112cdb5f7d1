import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const room = join(import.meta.dirname, "..");
const engine = join(room, "../cam-core");

/**
 * Workers and processes of their own run JavaScript (Node 20 reads no TypeScript), so the package is built where it is missing
 * or older than its source, and the engine under it where that is missing. Types are checked elsewhere: a slip in another room
 * is not for these tests to report.
 */
export default function build(): void {
  if (!existsSync(join(engine, "dist/data.js"))) compile(engine);
  if (isStale()) compile(room);
}

function isStale(): boolean {
  const built = statSync(join(room, "dist/index.js"), { throwIfNoEntry: false });
  const sources = readdirSync(join(room, "src"), { recursive: true, encoding: "utf8" });
  return (
    built === undefined ||
    sources.some(
      (file) =>
        file.endsWith(".ts") && !file.endsWith(".test.ts") && statSync(join(room, "src", file)).mtimeMs > built.mtimeMs,
    )
  );
}

function compile(folder: string): void {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = typescript.replace(/package\.json$/, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--noCheck"], { cwd: folder, stdio: "inherit" });
}
