// A process that loads a series whenever it is asked: run.mjs. Answers in lines of JSON.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const begin = performance.now();
const { loadVolume, openStudy, scanOf, startDecoders } = await import("../../packages/medical/dist/index.js");
startDecoders();
const answer = (value) => console.log(JSON.stringify(value));
answer({ ms: performance.now() - begin });

/** Resident memory, MB, now or at most since it was last forgotten. */
const resident = (field) =>
  Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))[1]) / 1e3;

for await (const _ of createInterface(process.stdin)) {
  const idle = resident("VmRSS");
  writeFileSync("/proc/self/clear_refs", "5"); // forgets the peak
  const begin = performance.now();
  const { series } = await openStudy([process.argv[2]]);
  const { source } = scanOf(series[0]);
  const { data, geometry } = await loadVolume(source);
  const ms = performance.now() - begin;
  const peakMb = resident("VmHWM") - idle;
  const sha256 = createHash("sha256").update(data).digest("hex");
  answer({ ms, peakMb, voxels: data.length, shape: geometry.shape, sha256 });
}
process.exit();
