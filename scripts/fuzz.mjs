// usage: npm run fuzz -- [--models N] [--bytes N] [--pictures N] [--arrays N] [--seed FIRST] [--only KIND:SEED] [--verbose]
// Damages small models in ways that know their structure, and byte by byte, and takes each the whole way: loaded, inspected,
// explained, differentiated; pictures and .npy files likewise, as far as they are read. Allowed are success and camkit's own
// named errors. Anything else (a foreign error, a crash of the runtime, more than 5 s, more than 300 MB) is a defect, printed
// with the number that makes the same file again. Exit 1 then.
import { parseArgs } from "node:util";
import { runCases } from "../packages/cam-core/dist/testing/fuzz/run.js";

const { values } = parseArgs({
  options: {
    models: { type: "string", default: "2000" },
    bytes: { type: "string", default: "1000" },
    pictures: { type: "string", default: "1000" },
    arrays: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const first = Number(values.seed);
const range = (kind, count) => Array.from({ length: Number(count) }, (_, i) => ({ kind, seed: first + i }));
const only = values.only?.split(":");
const requests = only
  ? [{ kind: only[0], seed: Number(only[1]) }]
  : ["models", "bytes", "pictures", "arrays"].flatMap((kind) => range(kind, values[kind]));

const start = performance.now();
const endings = await runCases(requests, {
  onEnding: (ending) => {
    if (ending.defect !== undefined)
      console.log(`DEFECT ${ending.kind}:${ending.seed} (${ending.story}) at ${ending.stage}\n  ${ending.defect}\n`);
    else if (values.verbose || only) console.log(ending);
  },
});

for (const kind of new Set(requests.map((request) => request.kind))) {
  const of = endings.filter((ending) => ending.kind === kind);
  const counts = new Map();
  for (const { code } of of) counts.set(code, (counts.get(code) ?? 0) + 1);
  const slowest = of.reduce((a, b) => (b.ms > a.ms ? b : a));
  const most = (what) => Math.max(...of.map((each) => each[what] ?? 0)).toFixed(0);
  console.log(`${kind}: ${of.length} files`);
  for (const [code, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`  ${code.padEnd(20)} ${count}`);
  console.log(
    `  slowest ${slowest.ms.toFixed(0)} ms (${slowest.seed}); memory: ${most("peakMb")} MB, at most ${most("grownMb")} MB for one`,
  );
}
const failed = endings.filter((ending) => ending.defect !== undefined).length;
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
console.log(`${endings.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
