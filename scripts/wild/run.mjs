// usage: node scripts/wild/run.mjs DIR [NAME …] [--json | --page FILE]
// Explains every file of the zoo "in the wild" that make.py put into DIR and compares it with its references, as scripts/zoo.mjs
// does. An input gradient may be refused: then by the name that the file's meta.json expects. Exit 0 when every file is explained
// within what is allowed, or its gradient refused as expected. --page writes docs/wild.md, from a run of all.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CamError } from "../../packages/cam-core/dist/index.js";
import { compare } from "../zoo/compare.mjs";
import { page } from "./page.mjs";

const { values: flags, positionals } = parseArgs({
  options: { json: { type: "boolean" }, page: { type: "string" } },
  allowPositionals: true,
});
const [dir, ...given] = positionals;
if (!dir || !existsSync(dir)) {
  console.error("usage: node scripts/wild/run.mjs DIR [NAME …] [--json | --page FILE]");
  process.exit(2);
}
const made = readdirSync(dir).filter((name) => existsSync(join(dir, name, "meta.json")));

const results = [];
for (const name of given.length > 0 ? given : made.sort()) {
  const started = performance.now();
  const result = { name, ...(await examine(join(dir, name))), took: (performance.now() - started) / 1000 };
  results.push(result);
  if (!flags.json) print(result);
}
const failed = results.filter(({ passed }) => !passed);
if (flags.json) console.log(JSON.stringify(results, null, 2));
else console.log(`\n${results.length - failed.length} passed, ${failed.length} failed`);
if (flags.page) writeFileSync(flags.page, page(results));
process.exit(failed.length === 0 && results.length > 0 ? 0 : 1);

async function examine(folder) {
  const file = join(folder, "meta.json");
  const meta = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  try {
    const result = await compare(folder);
    const { failures, refused } = result;
    return { ...result, meta, said: refused && saidBy(refused), passed: failures.length === 0 };
  } catch (error) {
    return { meta, failures: [saidBy(error)], passed: false };
  }
}

/** An error's own name, its first line and its way out. */
function saidBy(error) {
  const code = error instanceof CamError ? error.code : "unnamed";
  return `${code}: ${error.message.split("\n")[0]} ${error.hint ?? ""}`.trim();
}

function print({ name, passed, said, failures, errors = {}, limits, layers, space, took }) {
  const figures = Object.entries(errors).map(
    ([what, value]) =>
      `${what} ${value.toExponential(1)}${limits[what] > 1e-4 ? ` of ${limits[what].toExponential(1)}` : ""}`,
  );
  const where = layers ? `at ${layers.join(" + ")} [${space.join(" x ")}]` : "";
  const rest = [said ? `gradient refused: ${said}` : "", ...figures, where].filter(Boolean).join(" · ");
  console.log(`${passed ? "ok  " : "FAIL"} ${name.padEnd(22)} ${took.toFixed(1).padStart(5)} s  ${rest}`);
  for (const failure of failures) console.log(`       ${failure}`);
}
