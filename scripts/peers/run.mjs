// usage: node scripts/peers/run.mjs --python PYTHON [--work DIR] [--turns 20] [--rounds 3] [--networks a,b] [--out DIR] [--patience S]
// Measures camkit, ONNX Runtime's bare forward pass and PyTorch on the same networks in one run: two threads, batch 1, CPU.
//
// Against PyTorch: both processes stay open and take turns, some hundred milliseconds each with a pause between, so that a machine that is slow
// for a minute is slow for both. A turn is one warming run and a measured one of each; what is reported is the median over turns
// of the turns' ratios.
// Against the forward pass: `camkit bench`, alternating pairs in one process, several rounds, the median round.
// A turn or round in which other programs ran is measured again, for --patience seconds per row (default 120).
// Exits 1 when a goal is missed or a map differs from PyTorch's.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  createExplainer,
  decodeNpy,
  loadModel,
  nativeVersions,
  openBytes,
} from "../../packages/cam-core/dist/index.js";
import { benchCases, goals } from "./goals.mjs";
import { undisturbed } from "./quiet.mjs";
import { asMarkdown, asText, missed } from "./report.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const cli = join(here, "../../apps/cli/dist/main.js");
const { values: given } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    work: { type: "string", default: join(here, "../../out/peers") },
    turns: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
    networks: { type: "string", default: Object.keys(goals).join(",") },
    out: { type: "string" },
    patience: { type: "string", default: "120" },
  },
});
const threads = 2;
const pairs = 30;
const pauseMs = 60; // the idle threads of a session or process spin for a moment after its run, and there are two cores only
const networks = given.networks.split(",");
const out = given.out ?? given.work;

if (networks.some((name) => !existsSync(join(given.work, name, "map.npy")))) {
  mkdirSync(given.work, { recursive: true });
  const made = spawnSync(given.python, [join(here, "peers.py"), "export", given.work], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (made.status !== 0) throw new Error(`peers.py export failed with ${made.status ?? made.error}`);
}

const report = {
  date: new Date().toISOString(),
  machine: machine(),
  threads,
  turns: +given.turns,
  rounds: +given.rounds,
  pairs,
  disturbed: 0,
  peers: {},
  bench: [],
};
mkdirSync(out, { recursive: true });
for (const name of networks) {
  report.peers[name] = await besidePyTorch(name);
  save();
}
for (const entry of benchCases.filter(({ network }) => networks.includes(network))) {
  report.bench.push(await bench(entry));
  save();
}

console.log(asText(report));
process.exit(missed(report).length === 0 ? 0 : 1);

/** What there is so far; a run that is broken off has that much. */
function save() {
  writeFileSync(join(out, "peers.json"), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(out, "peers.md"), asMarkdown(report));
}

/** Times of both processes in turns, and how far the two maps are apart. */
async function besidePyTorch(name) {
  const folder = join(given.work, name);
  const load = (file) => decodeNpy(readFileSync(join(folder, file)), file);
  const feeds = { input: load("x.npy") };
  const path = join(folder, "model.onnx");
  const forward = await openBytes(path, { threads });
  const explainer = await createExplainer(await loadModel(path), { threads });
  const peer = startPeer(name);
  const sides = {
    forward: async (runs) => ({ ortForward: await timed(runs, () => forward.run(feeds)) }),
    explain: async (runs) => ({ explain: await timed(runs, () => explainer.run(feeds)) }),
    pytorch: (runs) => peer.ask(runs),
  };
  const patience = { seconds: +given.patience, disturbed: 0 };
  const turns = [];
  for (let turn = -2; turn < +given.turns; turn++) {
    const times = await undisturbed(patience, [peer.pid], async () => {
      const both = {};
      for (const side of turn % 2 === 0 ? ["forward", "explain", "pytorch"] : ["pytorch", "explain", "forward"]) {
        Object.assign(both, await sides[side](2));
        await sleep(pauseMs);
      }
      return both;
    });
    if (turn >= 0) turns.push(Object.fromEntries(Object.entries(times).map(([what, [, ms]]) => [what, ms])));
    progress(`${name}: turn ${turn + 1} of ${given.turns}`);
  }
  const { explanations } = await explainer.run(feeds);
  const difference = furthest(explanations[0].map, load("map.npy"));
  report.disturbed += patience.disturbed;
  await peer.close();
  await forward.close();
  await explainer.close();
  const column = (what) => median(turns.map((turn) => turn[what]));
  const times = (what) => spread(turns.map((turn) => turn[what] / turn.explain));
  const ratio = spread(turns.map((turn) => turn.explain / turn.ortForward));
  return {
    layer: explainer.layers[0].value,
    forwardMs: column("ortForward"),
    explainMs: column("explain"),
    ratio,
    pytorchForwardMs: column("forward"),
    byHandMs: column("byHand"),
    libraryMs: column("library"),
    timesByHand: times("byHand"),
    timesLibrary: times("library"),
    mapDifference: difference,
    turns,
  };
}

/** The Python process that times PyTorch when asked. */
function startPeer(name) {
  const child = spawn(given.python, [join(here, "peers.py"), "serve", name, given.work, "--threads", String(threads)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.on("close", resolve));
  return {
    pid: child.pid,
    ask: async (runs) => {
      child.stdin.write(`${runs}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`peers.py serve ${name} ended early`);
      return JSON.parse(value);
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** `camkit bench` in a process of its own, several rounds; the numbers of the round with the median ratio. */
async function bench({ network, method, layer, goal, opening }) {
  const patience = { seconds: +given.patience, disturbed: 0 };
  const rounds = [];
  while (rounds.length < +given.rounds) {
    progress(`${network} ${method} ${layer ?? ""}: round ${rounds.length + 1} of ${given.rounds}`);
    rounds.push(await undisturbed(patience, [], () => benchOnce(network, method, layer)));
  }
  report.disturbed += patience.disturbed;
  const ratio = spread(rounds.map((round) => round.ratio));
  const open = spread(rounds.map((round) => round.prepareMs / round.openMs));
  const { forwardMs, explainMs, openMs, prepareMs, layers } = rounds.find((round) => round.ratio === ratio.median);
  return {
    network,
    method,
    layer: layers[0],
    forwardMs,
    explainMs,
    ratio,
    goal,
    openMs,
    prepareMs,
    open,
    ...(opening ? { opening } : {}),
  };
}

function benchOnce(network, method, layer) {
  const model = join(given.work, network, "model.onnx");
  const args = [
    model,
    "--method",
    method,
    "--threads",
    `${threads}`,
    "--pairs",
    `${pairs}`,
    ...(layer ? ["--layer", layer] : []),
  ];
  const done = spawnSync(process.execPath, [cli, "bench", ...args, "--json"], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`camkit bench failed: ${done.stdout}${done.stderr}`);
  return JSON.parse(done.stdout);
}

async function timed(runs, run) {
  const times = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}

function furthest(a, b) {
  return b.data.reduce((most, value, i) => Math.max(most, Math.abs(value - a.data[i])), 0);
}

function spread(values) {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/** Of an even number the lower middle one, so that it is always one that was measured. */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

function machine() {
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    runtime: nativeVersions(),
    torch: spawnSync(given.python, ["-c", "import torch; print(torch.__version__)"], {
      encoding: "utf8",
    }).stdout.trim(),
  };
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
