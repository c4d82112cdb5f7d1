// usage: node scripts/onnx-cases/run.mjs DIR [--json] [--only REGEX] [--list] [--scale-gradient N]
// The onnx package's own operator test cases, from opset 7 on, as fetch.sh puts them into DIR (CAMKIT_ONNX_CASES names it as
// well). Per case, which of several releases share counts once:
//   outputs    the untouched file beside the one that camkit opened, upgraded and wrote: the same bits, or within rounding;
//              where the untouched file gives what the case stores, the other one must as well
//   shapes     what shape inference says of the outputs, at the case's sizes and at symbols, is what the run gives
//   gradients  every float output in every float input against finite differences at the case's own inputs
//              (--scale-gradient 1.001 shows that rules 0.1 % wrong would fail)
// Every outcome is counted with its reason; --list names the cases. Exit 0 when nothing differs, 1 when something does, 2 for
// wrong usage or a folder without cases.
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isFailure } from "../../packages/cam-core/dist/testing/cases/check-case.js";
import { findCases } from "../../packages/cam-core/dist/testing/cases/read.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean" },
    list: { type: "boolean" },
    only: { type: "string" },
    "scale-gradient": { type: "string" },
  },
});
const scale = values["scale-gradient"];
const root = positionals[0] ?? process.env.CAMKIT_ONNX_CASES;
if (!root || !existsSync(root)) usage("no folder of cases");

const { cases, releases } = findCases(root);
const chosen = values.only ? cases.filter(({ name }) => new RegExp(values.only).test(name)) : cases;
if (chosen.length === 0) usage(`no cases in ${root}`);

const results = await runAll(chosen);
const failed = results.filter(isFailure);
if (values.json) console.log(JSON.stringify({ releases, results }, null, 2));
else print();
process.exit(failed.length === 0 ? 0 : 1);

function usage(reason) {
  console.error(
    `${reason}\nusage: node scripts/onnx-cases/run.mjs DIR [--json] [--only REGEX] [--list] [--scale-gradient N]`,
  );
  process.exit(2);
}

/** Cases go to as many processes as there are cores, one at a time each. */
async function runAll(queue) {
  const waiting = [...queue];
  const done = new Map();
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), waiting.length) }, work));
  return queue.map((one) => done.get(one.folder));

  async function work() {
    let child = start();
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const result = await asked(child, one);
      done.set(one.folder, result);
      if (child.exitCode !== null || child.signalCode !== null) child = start();
    }
    child.disconnect();
  }
}

function start() {
  const child = fork(fileURLToPath(new URL("./worker.mjs", import.meta.url)), scale === undefined ? [] : [scale], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.setMaxListeners(0);
  return child;
}

function asked(child, one) {
  return new Promise((resolve) => {
    const gone = (code, signal) =>
      resolve({ ...one, outputs: { outcome: "differs", detail: `the process ended with ${signal ?? code}` } });
    child.once("exit", gone);
    child.once("message", (result) => {
      child.off("exit", gone);
      resolve(result);
    });
    child.send(one);
  });
}

function print() {
  console.log(`${results.length} cases from ${releases.length} releases of the onnx package`);
  for (const part of ["outputs", "shapes", "gradient"]) {
    console.log(`\n${part}`);
    const outcomes = grouped(
      results.filter((result) => result[part]),
      (result) => result[part].outcome,
    );
    for (const [outcome, found] of outcomes) {
      console.log(`  ${String(found.length).padStart(5)}  ${outcome}`);
      const reasons = grouped(
        found.filter((result) => result[part].detail),
        (result) => reason(result[part]),
      );
      if (values.list || outcome !== "at a kink")
        for (const [why, these] of reasons) {
          console.log(`         ${String(these.length).padStart(4)}  ${why}`);
          if (values.list || outcome === "differs")
            for (const { version, name } of these) console.log(`                 ${version} ${name}`);
        }
    }
  }
  const off = results.filter(({ outputs }) => outputs.stored === false).length;
  console.log(`\n${off} cases whose stored outputs the runtime itself doesn't give, with the untouched file`);
  console.log("\nrelease, cases, of which new, by the outcome of their outputs");
  for (const { version, cases: all, first } of releases) {
    const own = grouped(
      results.filter((result) => result.version === version),
      ({ outputs }) => outputs.outcome,
    );
    const counts = own.map(([outcome, found]) => `${found.length} ${outcome}`).join(", ");
    console.log(`  ${version.padEnd(8)} ${String(all).padStart(5)} ${String(first).padStart(5)}  ${counts}`);
  }
  for (const { version, name, outputs, shapes, gradient } of failed)
    console.log(
      `FAIL ${version} ${name}: ${[outputs, shapes, gradient].find((part) => part?.outcome === "differs").detail}`,
    );
  const ran = results.filter((result) => result.shapes || isFailure(result));
  console.log(`\n${results.length - ran.length} cases are not run, for the reasons above`);
  console.log(`${ran.length - failed.length} passed, ${failed.length} failed`);
}

/** What a reason has in common with others: without names, numbers and where in the runtime it was thrown. */
function reason({ outcome, detail, operators }) {
  if (["at a kink", "differs", "too steep to tell"].includes(outcome)) return operators?.join(" ") || detail;
  return detail
    .replace(/^ONNX Runtime (refused the graph|failed in a run): /, "")
    .replace(/\/onnxruntime_src\S+ .*? was false\. /, "")
    .replace(/.*ONNX Runtime only \*guarantees\*.*(Opset \d+ is under development).*/s, "$1")
    .replace(/Non-zero status code returned while running (\w+) node\..*Status Message: /, "$1: ")
    .replace(/(node|value|output arg|attribute) (\(|")[^")]*[")]/g, "$1")
    .replace(/ (at|with) (node|name) ['"]?[^'" ]*['"]?/g, "")
    .slice(0, 150);
}

/** Items by key, the most frequent first. */
function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
