// The door of every root script: `npm run demo`, `npm test` and the rest work on a fresh clone with Node and npm alone.
// It installs the pinned pnpm into .tools (a real binary that turbo finds on PATH) and the frozen dependencies where they
// are missing or older than the lock file, builds what the verb needs, and does it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tools = join(root, ".tools");
const { packageManager, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const env = {
  ...process.env,
  PATH: [join(tools, "node_modules", ".bin"), join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};

const cli = ["apps/cli/dist/main.js"];

/** Rooms of cam-core whose tests go through `model/` and `graph/`. */
const coveredBy = ["model", "graph", "runtime", "explain", "targets", "testing/fuzz"];

/** What each verb runs, after setting up; `args` are what follows it on the command line. */
const verbs = {
  build: (args) => [turbo("build", args)],
  typecheck: (args) => [turbo("typecheck", args)],
  test: (args) => [["biome", "check", "."], turbo("typecheck"), turbo("test", args)],
  demo: (args) => [turbo("build"), [process.execPath, ...cli, "demo", ...args]],
  bench: (args) => [turbo("build"), [process.execPath, ...cli, "bench", ...args]],
  "bench:train": (args) => [turbo("build"), [process.execPath, "scripts/train-peers/run.mjs", ...args]],
  coverage: () => [
    [
      "pnpm",
      "--dir",
      "packages/cam-core",
      "exec",
      "vitest",
      "run",
      "--coverage",
      ...coveredBy.map((room) => `src/${room}`),
    ],
  ],
  fuzz: (args) => [turbo("build"), [process.execPath, "scripts/fuzz.mjs", ...args]],
  zoo: (args) => [turbo("build"), [process.execPath, "scripts/zoo.mjs", ...args]],
  setup: () => [],
};

function turbo(task, args = []) {
  return [
    "turbo",
    "run",
    task,
    "--output-logs=new-only",
    "--log-order=grouped",
    ...(args.length > 0 ? ["--", ...args] : []),
  ];
}

function run(command, options = {}) {
  const [program, ...args] = command;
  const result = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: options.quiet ? "pipe" : "inherit",
    shell: process.platform === "win32",
  });
  if (result.error) fail(`${program} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    if (options.quiet) process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
    process.exit(result.status ?? 1);
  }
}

function fail(message) {
  console.error(message);
  process.exit(3);
}

function setUp() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node ${engines.node} is needed; this is ${process.versions.node}.`);
  const wanted = packageManager.split("@")[1];
  const installed = join(tools, "node_modules", "pnpm", "package.json");
  if (!existsSync(installed) || JSON.parse(readFileSync(installed, "utf8")).version !== wanted) {
    console.error(`installing ${packageManager} into .tools …`);
    run(["npm", "install", "--prefix", tools, "--no-save", "--no-audit", "--no-fund", packageManager], { quiet: true });
  }
  const marker = join(root, "node_modules", ".modules.yaml");
  const lock = join(root, "pnpm-lock.yaml");
  if (!existsSync(marker) || statSync(marker).mtimeMs < statSync(lock).mtimeMs) {
    console.error("installing dependencies …");
    run(["pnpm", "install", "--frozen-lockfile"], { quiet: true });
  }
}

const [verb, ...args] = process.argv.slice(2);
if (!verbs[verb]) fail(`usage: node scripts/run.mjs ${Object.keys(verbs).join("|")} [arguments]`);
setUp();
for (const command of verbs[verb](args)) run(command);
