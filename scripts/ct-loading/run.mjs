// usage: node scripts/ct-loading/run.mjs SERIES --python PYTHON [--turns 7] [--dcm2niix PROGRAM] [--out FILE.md]
// Loads a DICOM series to HU by camkit, by pydicom with GDCM and by dcm2niix, in one run. Needs a build (`npm run build`).
// PYTHON needs numpy==2.4.6 pydicom==3.0.2 python-gdcm==3.2.6.
//
// camkit and pydicom are started processes that take turns, dcm2niix starts anew each time, as it always does: it is a command, and
// starts within milliseconds. A turn is one load of each; what is reported are medians over turns, of times and of the turns'
// ratios. A turn in which other programs ran is measured again, for --patience seconds (default 60).
// camkit's volume must be pydicom's, bit by bit. Exits 1 when it isn't, or when a goal is missed.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { undisturbed } from "../peers/quiet.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    turns: { type: "string", default: "7" },
    dcm2niix: { type: "string", default: "dcm2niix" },
    patience: { type: "string", default: "60" },
    out: { type: "string" },
  },
});
const [series] = positionals;
if (series === undefined) throw new Error("usage: node scripts/ct-loading/run.mjs SERIES --python PYTHON");
const goals = { pydicom: 0.6, dcm2niix: 0.7, memory: 1.5 };
const pauseMs = 150;

const processes = {
  camkit: start(process.execPath, [join(here, "camkit.mjs"), series]),
  pydicom: start(given.python, [join(here, "peer.py"), series]),
};
const ready = { camkit: await processes.camkit.next(), pydicom: await processes.pydicom.next() };
const first = { camkit: await load("camkit"), pydicom: await load("pydicom") }; // warms both, and the disk's cache
const patience = { seconds: Number(given.patience), disturbed: 0 };
const pids = Object.values(processes).map(({ pid }) => pid);
const turns = [];
while (turns.length < Number(given.turns))
  turns.push(
    await undisturbed(patience, pids, async () => {
      const turn = {};
      for (const [name, measure] of Object.entries({
        camkit: () => load("camkit"),
        pydicom: () => load("pydicom"),
        dcm2niix,
      })) {
        await sleep(pauseMs);
        turn[name] = (await measure()).ms;
      }
      return turn;
    }),
  );
for (const { end } of Object.values(processes)) end();

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const time = (name) => `${median(turns.map((turn) => turn[name])).toFixed(0)} ms`;
const ratio = (name) => median(turns.map((turn) => turn.camkit / turn[name]));
const memory = first.camkit.peakMb / (first.camkit.voxels * 4e-6);
const same = first.camkit.sha256 === first.pydicom.sha256;
const missed = Object.entries({ pydicom: ratio("pydicom"), dcm2niix: ratio("dcm2niix"), memory }).filter(
  ([name, value]) => !(value <= goals[name]),
);
const text = `${first.camkit.shape.join(" × ")} voxels, ${cpus().length} × ${cpus()[0].model}, median of ${turns.length} turns${
  patience.disturbed > 0 ? `, ${patience.disturbed} of them beside other programs` : ""
}

| | to HU | camkit ÷ it, median of turns | goal | started in |
|---|---|---|---|---|
| camkit | ${time("camkit")} | | | ${ready.camkit.ms.toFixed(0)} ms |
| pydicom with GDCM | ${time("pydicom")} | ${ratio("pydicom").toFixed(2)} | ≤ ${goals.pydicom} | ${ready.pydicom.ms.toFixed(0)} ms |
| dcm2niix | ${time("dcm2niix")} | ${ratio("dcm2niix").toFixed(2)} | ≤ ${goals.dcm2niix} | included |

The first load, by threads that had done nothing before: ${first.camkit.ms.toFixed(0)} ms. Its peak above the idle process:
${first.camkit.peakMb.toFixed(0)} MB, ${memory.toFixed(2)} × the volume in float32 (goal ≤ ${goals.memory}). ${
  same ? "Every voxel is pydicom's." : "VOXELS DIFFER FROM PYDICOM'S."
}`;
console.log(text);
if (given.out) writeFileSync(given.out, `${text}\n`);
for (const [name, value] of missed) console.error(`goal missed: ${name} ${value.toFixed(2)}, at most ${goals[name]}`);
process.exitCode = missed.length === 0 && same ? 0 : 1;

/** A process that answers each line with one of JSON. */
function start(program, args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ${args[0]} ended`);
      return JSON.parse(value);
    },
    ask: () => child.stdin.write("load\n"),
    end: () => child.stdin.end(),
  };
}

function load(name) {
  processes[name].ask();
  return processes[name].next();
}

function dcm2niix() {
  const out = mkdtempSync(join(tmpdir(), "ct-loading-"));
  try {
    const begin = performance.now();
    const { status, stdout } = spawnSync(given.dcm2niix, ["-z", "n", "-b", "n", "-o", out, series]);
    if (status !== 0) throw new Error(`dcm2niix ended with ${status}: ${stdout}`);
    return { ms: performance.now() - begin };
  } finally {
    rmSync(out, { recursive: true });
  }
}
