// usage: node scripts/ct-job/run.mjs [--series DIR]… [--keep DIR] [--repeat N] [-- ARGUMENTS OF camkit ct]
// Runs `camkit ct` as a process on a phantom of 512 × 512 × 300, and on any other series, and says for each stage how long it
// took, how much processor time, and the most memory it held; and the whole job's peak above a process that has loaded
// everything and does nothing, in units of the scan in float32. Needs a build (`npm run build`) and Linux's /proc.
//
// The phantom is drawn once and kept in --keep (default: camkit-ct-job in the system's temporary folder). Exits 1 where a job
// needs more than is accepted.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const command = join(here, "../../apps/cli/dist/main.js");
const cut = process.argv.indexOf("--");
const forwarded = cut < 0 ? [] : process.argv.slice(cut + 1);
const { values: given } = parseArgs({
  args: process.argv.slice(2, cut < 0 ? undefined : cut),
  options: {
    series: { type: "string", multiple: true, default: [] },
    keep: { type: "string", default: join(tmpdir(), "camkit-ct-job") },
    repeat: { type: "string", default: "1" },
  },
});
const accepted = 2.5;
const phantomSeed = 7;
const sampleMs = 20;
const ticksPerSecond = 100; // of /proc, on every architecture that Linux reports to user space

const phantom = join(given.keep, "phantom-300");
if (!existsSync(join(phantom, "truth.json"))) {
  const { thoraxGeometry, writePhantom } = await import("../../packages/medical/dist/phantom/index.js");
  await writePhantom(phantomSeed, phantom, { geometry: thoraxGeometry(phantomSeed, { slices: 300 }) });
}
const idleMb = median(
  Array.from({ length: 3 }, () => Number(spawnSync(process.execPath, [join(here, "idle.mjs")]).stdout)),
);
console.log(`${cpus().length} × ${cpus()[0].model}; the idle process holds ${idleMb.toFixed(0)} MB\n`);
let missed = false;
for (const series of [join(phantom, "series"), ...given.series])
  for (let turn = 0; turn < Number(given.repeat); turn++) report(series, await job(series));
process.exitCode = missed ? 1 : 0;

/** One job as a process of its own, watched from outside. */
async function job(series) {
  const out = mkdtempSync(join(tmpdir(), "camkit-ct-job-"));
  const begin = performance.now();
  const child = spawn(process.execPath, [command, "ct", series, ...forwarded, "--out", out], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const samples = [];
  let peakMb = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      const mb = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? Number.NaN) / 1e3;
      if (Number.isNaN(mb("VmHWM"))) return; // it has ended
      peakMb = mb("VmHWM"); // the system's own, which misses nothing between two looks
      samples.push({
        at: Date.now(),
        mb: mb("VmRSS"),
        cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      });
    } catch {} // ended between the looks
  };
  const timer = setInterval(look, sampleMs);
  const status = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(timer);
  const seconds = (performance.now() - begin) / 1000;
  if (status !== 0) throw new Error(`camkit ct on ${series} ended with ${status}`);
  const result = JSON.parse(readFileSync(join(out, "result.json"), "utf8"));
  rmSync(out, { recursive: true });
  return { result, seconds, peakMb, samples };
}

function report(series, { result, seconds, peakMb, samples }) {
  const shape = result.scan.geometry.shape;
  const volumeMb = shape.reduce((a, b) => a * b, 4e-6);
  const times = (mb) => `${((mb - idleMb) / volumeMb).toFixed(2)} ×`;
  missed ||= (peakMb - idleMb) / volumeMb > accepted;
  console.log(`${series}: ${shape.join(" × ")}, ${volumeMb.toFixed(0)} MB in float32\n`);
  console.log("| stage | s | processor, s | most memory above idle, MB | of the float32 volume |");
  console.log("| --- | --: | --: | --: | --: |");
  const row = (name, s, cpu, mb) => {
    const memory = Number.isNaN(mb) ? "– | –" : `${(mb - idleMb).toFixed(0)} | ${times(mb)}`; // over between two looks
    console.log(`| ${name} | ${s.toFixed(1)} | ${cpu.toFixed(1)} | ${memory} |`);
  };
  for (const { name, seconds: taken, cpu, mb } of stagesIn(result.stages, samples)) row(name, taken, cpu, mb);
  row("**the whole job**", seconds, samples.at(-1).cpu, peakMb);
  console.log();
}

/** Stages follow each other without gaps: the last one ended, but for result.json, with the process. */
function stagesIn(stages, samples) {
  let end = samples.at(-1).at;
  const within = stages.toReversed().map(({ name, ms }) => {
    const of = samples.filter(({ at }) => at >= end - ms && at <= end);
    end -= ms;
    return { name, seconds: ms / 1000, cpu: used(of), mb: most(of) };
  });
  const before = samples.filter(({ at }) => at <= end);
  const start = { name: "starting", seconds: (end - samples[0].at) / 1000, cpu: used(before), mb: most(before) };
  return [start, ...within.toReversed()];
}

function used(samples) {
  return samples.length === 0 ? 0 : samples.at(-1).cpu - samples[0].cpu;
}

function most(samples) {
  return samples.length === 0 ? Number.NaN : Math.max(...samples.map(({ mb }) => mb));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
