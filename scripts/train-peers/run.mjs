// usage: node scripts/train-peers/run.mjs --python PYTHON [--work DIR] [--networks a,b] [--turns 12] [--steps 3] [--threads 2] [--patience S]
// Time and memory of a training step, camkit beside PyTorch: the same networks, weights, batch, loss and optimiser.
//
// First both must agree on the gradients. Then two processes take turns of a few steps with a pause between, so that a machine
// that is slow for a minute is slow for both; the first step of a turn warms the caches and isn't counted. Reported is the
// median over turns of the turns' ratios, and each process's highest memory. A turn in which other programs ran is measured
// again, for --patience seconds per network. Exits 1 when a ratio is above `accepted` or the gradients differ.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { undisturbed } from "../peers/quiet.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const all = ["cifake_32", "cifake_128", "resnet18", "mobilenet_v2", "r3d_18"];
const { values: given } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    work: { type: "string", default: join(here, "../../out/train-peers") },
    networks: { type: "string", default: all.join(",") },
    turns: { type: "string", default: "12" },
    steps: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    patience: { type: "string", default: "120" },
  },
});
/** In PyTorch's steps and megabytes: the goal, and what is accepted. */
const goal = 1;
const accepted = 1.5;
const pauseMs = 150; // idle threads spin for a moment after a step, and there are two cores only
const threads = +given.threads;

mkdirSync(given.work, { recursive: true });
const rows = [];
for (const network of given.networks.split(",")) {
  const row = await measure(network);
  rows.push(row);
  console.log(asText(row));
}
const machine = { cpu: cpus()[0].model.trim(), cores: cpus().length, node: process.version, threads };
const report = { date: new Date().toISOString(), ...machine, goal, accepted, rows };
writeFileSync(join(given.work, "train-peers.json"), `${JSON.stringify(report, null, 2)}\n`);
const missed = rows.filter(
  ({ ratio, memory, agreement }) => Math.max(ratio.median, memory) > accepted || agreement.off > 0,
);
console.log(
  missed.length === 0 ? "all within what is accepted" : `missed: ${missed.map(({ network }) => network).join(", ")}`,
);
process.exit(missed.length === 0 ? 0 : 1);

async function measure(network) {
  await prepared(network);
  const checked = await agreed(network);
  const sides = {
    camkit: start(process.execPath, ["camkit.mjs"]),
    pytorch: start(given.python, ["peers.py"]),
  };
  const patience = { seconds: +given.patience, disturbed: 0 };
  const pids = Object.values(sides).map(({ pid }) => pid);
  const ask = (side, steps) =>
    sides[side].ask({ do: "steps", network, steps, threads, ...(side === "camkit" ? { dir: given.work } : {}) });
  const turns = [];
  const last = {};
  for (let turn = -1; turn < +given.turns; turn++) {
    const times = await undisturbed(patience, pids, async () => {
      const both = {};
      for (const side of turn % 2 === 0 ? ["camkit", "pytorch"] : ["pytorch", "camkit"]) {
        last[side] = await ask(side, 1 + +given.steps);
        both[side] = median(last[side].ms.step.slice(1));
        both[`${side} update`] = median(last[side].ms.update.slice(1));
        await sleep(pauseMs);
      }
      return both;
    });
    if (turn >= 0) turns.push(times);
  }
  for (const side of Object.values(sides)) await side.close();
  const column = (name) => median(turns.map((turn) => turn[name]));
  const ratios = turns.map(({ camkit, pytorch }) => camkit / pytorch);
  return {
    network,
    camkitMs: column("camkit"),
    pytorchMs: column("pytorch"),
    updateMs: { camkit: column("camkit update"), pytorch: column("pytorch update") },
    ratio: { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) },
    camkitMb: last.camkit.peakMb,
    pytorchMb: last.pytorch.peakMb,
    memory: last.camkit.peakMb / last.pytorch.peakMb,
    agreement: checked,
    disturbed: patience.disturbed,
    turns,
  };
}

async function prepared(network) {
  if (existsSync(join(given.work, network, "agreement.json"))) return;
  const peer = start(given.python, ["peers.py"]);
  await peer.ask({ do: "export", dir: given.work, network });
  await peer.close();
  const fresh = start(given.python, ["peers.py"]);
  await fresh.ask({ do: "agreement", dir: given.work, network });
  await fresh.close();
}

async function agreed(network) {
  const side = start(process.execPath, ["camkit.mjs"]);
  const found = await side.ask({ do: "agreement", dir: given.work, network });
  await side.close();
  return found;
}

/** A process that answers JSON lines. */
function start(program, args) {
  const child = spawn(program, args, { cwd: here, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.on("close", resolve));
  return {
    pid: child.pid,
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ${args} ended early`);
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(answer.error);
      return answer;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

function asText({ network, camkitMs, pytorchMs, ratio, camkitMb, pytorchMb, memory, agreement, disturbed, updateMs }) {
  const spread = `${ratio.lowest.toFixed(2)}-${ratio.highest.toFixed(2)}`;
  const { worst, off, of } = agreement;
  return [
    network.padEnd(13),
    `${camkitMs.toFixed(1)} ms, PyTorch ${pytorchMs.toFixed(1)}: ${ratio.median.toFixed(2)} (${spread})`,
    `update ${updateMs.camkit.toFixed(1)}, ${updateMs.pytorch.toFixed(1)}`,
    `memory ${camkitMb.toFixed(0)} MB, ${pytorchMb.toFixed(0)}: ${memory.toFixed(2)}`,
    `gradients within ${worst.difference.toExponential(1)}, ${off} of ${of} off`,
    disturbed > 0 ? `${disturbed} turns disturbed` : "",
  ].join("  ");
}

/** Of an even number the lower middle one, so that it is always one that was measured. */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}
