// What a job's process holds before it has any work: Node, the packages, the runtime, the decoders' threads. Resident memory, MB.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

await import("../../packages/cam-core/dist/index.js");
const { startDecoders } = await import("../../packages/medical/dist/index.js");
startDecoders();
await sleep(1000);
console.log(Number(readFileSync("/proc/self/status", "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1e3);
process.exit();
