/** Runs from a configuration: read, prepared, run, deployed, measured. */

export { judge } from "./judge.ts";
export { seenFrom, withPaths } from "./paths.ts";
export { applied, checkConfig, parseSetting, type ReadConfig, readConfig, type Setting } from "./read.ts";
export { type PreparedRun, prepareRun } from "./recipe.ts";
export {
  parametersIn,
  type RunDocument,
  type RunEvent,
  type RunOptions,
  type RunResult,
  runConfig,
  stateOf,
} from "./run.ts";
export { type Config, configSchema } from "./schema.ts";
