import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/**
 * Workers and processes of their own run JavaScript (Node 20 reads no TypeScript): builds what is tested, and the packages of ours
 * under it first, each where it is missing or older than its source. Types are checked elsewhere.
 */
export default function build({ config }: TestProject): void {
  buildWhereStale(config.root);
}

function buildWhereStale(folder: string): void {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const [name, version] of Object.entries<string>(dependencies))
    if (version.startsWith("workspace:")) buildWhereStale(realpathSync(join(folder, "node_modules", name)));
  if (isStale(folder)) compile(folder);
}

function isStale(folder: string): boolean {
  const made = (name: string) => statSync(join(folder, "dist", name), { throwIfNoEntry: false });
  const built = made("index.js") ?? made("main.js");
  const sources = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return (
    built === undefined ||
    sources.some(
      (file) =>
        file.endsWith(".ts") &&
        !file.endsWith(".test.ts") &&
        statSync(join(folder, "src", file)).mtimeMs > built.mtimeMs,
    )
  );
}

function compile(folder: string): void {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = typescript.replace(/package\.json$/, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--noCheck"], { cwd: folder, stdio: "inherit" });
}
