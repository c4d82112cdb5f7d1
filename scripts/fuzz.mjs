// usage: npm run fuzz -- [--models N] [--operators N] [--bytes N] [--pictures N] [--arrays N] [--seed FIRST] [--only KIND:SEED]
//                        [--ways] [--verbose]
// Damages small models in ways that know their structure, and byte by byte, and takes each the whole way: loaded, inspected,
// explained, differentiated, exported; pictures and .npy files likewise, as far as they are read. Allowed are success and camkit's
// own named errors. Anything else (a foreign error, a crash of the runtime, more than 10 s, more than 300 MB) is a defect, printed
// with the number that makes the same file again. Exit 1 then, and where a way of damaging made none of a thousand files.
// --ways lists every way: files, still good, refused with which code.
import { parseArgs } from "node:util";
import { waysOf } from "../packages/cam-core/dist/testing/fuzz/cases.js";
import { runCases } from "../packages/cam-core/dist/testing/fuzz/run.js";
import { tally, tallyByWay } from "../packages/cam-core/dist/testing/fuzz/tally.js";

const counts = { models: 2000, operators: 2000, bytes: 2000, pictures: 2000, arrays: 2000 };
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(
      Object.entries(counts).map(([kind, count]) => [kind, { type: "string", default: `${count}` }]),
    ),
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    ways: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const first = Number(values.seed);
const range = (kind, count) => Array.from({ length: Number(count) }, (_, i) => ({ kind, seed: first + i }));
const only = values.only?.split(":");
const requests = only
  ? [{ kind: only[0], seed: Number(only[1]) }]
  : Object.keys(counts).flatMap((kind) => range(kind, values[kind]));

const start = performance.now();
const endings = await runCases(requests, {
  onEnding: (ending) => {
    if (ending.defect !== undefined) console.log(`DEFECT ${name(ending)}, at ${ending.stage}\n  ${ending.defect}\n`);
    else if (values.verbose || only) console.log(ending);
  },
});

let failed = endings.filter((ending) => ending.defect !== undefined).length;
const passed = endings.length - failed;
for (const kind of new Set(requests.map((request) => request.kind))) {
  const of = endings.filter((ending) => ending.kind === kind);
  const slowest = of.reduce((a, b) => (b.ms > a.ms ? b : a));
  const largest = of.reduce((a, b) => ((b.grownMb ?? 0) > (a.grownMb ?? 0) ? b : a));
  const peak = Math.max(...of.map((each) => each.peakMb ?? 0)).toFixed(0);
  console.log(`${kind}: ${line(tally("", of))}`);
  console.log(`  slowest ${slowest.ms.toFixed(0)} ms: ${name(slowest)}`);
  console.log(`  memory ${peak} MB at most, of which ${(largest.grownMb ?? 0).toFixed(0)} MB for ${name(largest)}`);
  const ways = tallyByWay(of, waysOf[kind]);
  if (values.ways) for (const each of ways) console.log(`    ${each.way.padEnd(20)} ${line(each)}`);
  const unused = ways.filter(({ files }) => files === 0).map(({ way }) => way);
  if (of.length < 1000 || unused.length === 0) continue;
  failed += unused.length;
  console.log(`  nothing was damaged by ${unused.join(", ")}`);
}
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function name({ kind, seed, base, ways }) {
  return `${kind}:${seed} (${base}: ${ways.join(", ")})`;
}

function line({ files, good, refused }) {
  const codes = refused.map(([code, count]) => `${code} ${count}`).join(", ");
  return `${files} files, ${good} still good${codes && `, refused: ${codes}`}`;
}
