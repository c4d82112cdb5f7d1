// A training in a process of its own, for kill.test.ts: node kill-run.mjs CONFIG OUT. Says "stepping" when the first step is done.
import { dirname, resolve } from "node:path";
import { readConfig, runConfig, withPaths } from "../dist/index.js";

const [path, out] = process.argv.slice(2);
const { config, name } = await readConfig(path);
const ready = withPaths({ ...config, name }, (inside) => resolve(dirname(path), inside));
let said = false;
const onEvent = ({ kind }) => {
  if (kind !== "step" || said) return;
  said = true;
  process.stdout.write("stepping\n");
};
await runConfig(ready, { out, resume: true, generator: "test", time: "now", onEvent });
