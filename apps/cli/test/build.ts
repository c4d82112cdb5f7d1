import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const app = join(import.meta.dirname, "..");
const packages = join(app, "../../packages");

/** Builds the command line and the packages under it, each where it is missing or older than its source. */
export default function build(): void {
  for (const [folder, made] of [
    [join(packages, "cam-core"), "dist/index.js"],
    [join(packages, "cam-train"), "dist/index.js"],
    [join(packages, "medical"), "dist/index.js"],
    [app, "dist/main.js"],
  ] as const)
    if (isStale(folder, made)) compile(folder);
}

function isStale(folder: string, made: string): boolean {
  const built = statSync(join(folder, made), { throwIfNoEntry: false });
  const sources = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return (
    built === undefined ||
    sources.some((file) => !file.endsWith(".test.ts") && statSync(join(folder, "src", file)).mtimeMs > built.mtimeMs)
  );
}

function compile(folder: string): void {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = typescript.replace(/package\.json$/, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--noCheck"], { cwd: folder, stdio: "inherit" });
}
