// usage: node scripts/wild/run.mjs DIR [NAME …] [--json | --markdown]
// Explains every file of the zoo "in the wild" that make.py put into DIR and compares it with its references, as scripts/zoo.mjs
// does. A file may be refused: then by name, and by the name that its meta.json expects. Exit 0 when every file is explained
// within what is allowed, or refused as expected.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CamError } from "../../packages/cam-core/dist/index.js";
import { compare } from "../zoo/compare.mjs";

const flags = new Set(process.argv.slice(2).filter((arg) => arg.startsWith("--")));
const [dir, ...given] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
if (!dir || !existsSync(dir)) {
  console.error("usage: node scripts/wild/run.mjs DIR [NAME …] [--json | --markdown]");
  process.exit(2);
}
const made = readdirSync(dir).filter((name) => existsSync(join(dir, name, "meta.json")));
const text = !flags.has("--json") && !flags.has("--markdown");

const results = [];
for (const name of given.length > 0 ? given : made.sort()) {
  const started = performance.now();
  const result = { name, ...(await examine(join(dir, name))), seconds: (performance.now() - started) / 1000 };
  results.push(result);
  if (text) print(result);
}
const failed = results.filter(({ passed }) => !passed);
if (flags.has("--json")) console.log(JSON.stringify(results, null, 2));
else if (flags.has("--markdown")) console.log(markdown(results));
else console.log(`\n${results.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 && results.length > 0 ? 0 : 1);

async function examine(folder) {
  const file = join(folder, "meta.json");
  const meta = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  try {
    const result = await compare(folder);
    if (meta.refusal) result.failures.push(`it was to be refused (${meta.refusal}), and was explained`);
    return { ...result, meta, outcome: "explained", passed: result.failures.length === 0 };
  } catch (error) {
    const code = error instanceof CamError ? error.code : "unnamed";
    const said = `${code}: ${error.message.split("\n")[0]} ${error.hint ?? ""}`.trim();
    const expected = meta.refusal === code;
    return { meta, outcome: "refused", code, said, failures: expected ? [] : [said], passed: expected, errors: {} };
  }
}

function print({ name, passed, outcome, said, failures, errors = {}, limits, layers, space, seconds }) {
  const figures = Object.entries(errors).map(
    ([what, value]) =>
      `${what} ${value.toExponential(1)}${limits[what] > 1e-4 ? ` of ${limits[what].toExponential(1)}` : ""}`,
  );
  const where = layers ? `at ${layers.join(" + ")} [${space.join(" x ")}]` : "";
  const rest = [outcome === "refused" && passed ? `refused: ${said}` : "", ...figures, where]
    .filter(Boolean)
    .join(" · ");
  console.log(`${passed ? "ok  " : "FAIL"} ${name.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s  ${rest}`);
  for (const failure of failures) console.log(`       ${failure}`);
}

function markdown(all) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const short = (value) => value.toExponential(0);
  const figure = ({ errors, limits, meta }, what) => {
    if (errors[what] !== undefined)
      return limits[what] > 1e-4 ? `${short(errors[what])} of ${short(limits[what])}` : short(errors[what]);
    return what === "gradient" && meta.e32 > 0.05 ? `kinks (${short(meta.e32)})` : "";
  };
  const outcomeOf = ({ passed, outcome, said, failures }) => {
    if (!passed) return `**fails**: ${failures[0]}`;
    return outcome === "refused" ? `refused, ${said}` : "explained";
  };
  /** A pyramid's layers have names alike: the first, and how many more. */
  const layerOf = ({ layers, space }) => {
    if (!layers) return "";
    if (layers.length === 0) return "none, and said so";
    return `\`${layers[0]}\`${layers.length > 1 ? ` and ${layers.length - 1} more` : ""} ${space.join(" x ")}`;
  };
  const lines = all.map((result) => {
    const { name, meta } = result;
    const plain = meta.unquantised ? `${short(meta.unquantised.gradient)}, ${short(meta.unquantised["grad-cam"])}` : "";
    return row([
      name,
      meta.source ?? "",
      meta.special ?? "",
      outcomeOf(result),
      figure(result, "gradient"),
      figure(result, "grad-cam"),
      plain,
      layerOf(result),
    ]);
  });
  const head = [
    "file",
    "made by",
    "what is special",
    "outcome",
    "input gradient",
    "Grad-CAM",
    "made of (gradient, Grad-CAM)",
    "default layer",
  ];
  return [row(head), row(head.map(() => "---")), ...lines].join("\n");
}
