/** Runs from a configuration: read, prepared, run, deployed, measured. */

export { type CheckDocument, checkRun } from "./check.ts";
export { environmentOf, type RunDocument } from "./document.ts";
export { trainJsonSchema } from "./json-schema.ts";
export { type JudgeOptions, judge } from "./judge.ts";
export { dataSpec, isData, seenFrom, withPaths } from "./paths.ts";
export {
  applied,
  checkConfig,
  parseSetting,
  type Raw,
  type ReadConfig,
  readConfig,
  readDataFile,
  readSearchFile,
  type Setting,
} from "./read.ts";
export { type PreparedRun, prepareRun } from "./recipe.ts";
export { compact, type Measured } from "./results.ts";
export {
  type RunEvent,
  type RunOptions,
  type RunResult,
  refuseRun,
  runConfig,
  stateOf,
} from "./run.ts";
export { runUnits, type UnitsDocument, type UnitsOptions, type UnitsResult } from "./run-units.ts";
export { type Config, configSchema, type DataConfig } from "./schema.ts";
export { predictionsCsv, type Tested, type TestOptions, testModel } from "./test-model.ts";
export { type Unit, unitsOf } from "./units.ts";
