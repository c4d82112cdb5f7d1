/** A series to an explained scan, and that to files. */

export { explainNifti, explainSeries } from "./explain.ts";
export type { ExplainedScan } from "./explained-scan.ts";
export { type FaithfulnessName, faithfulnessNames } from "./faithfulness.ts";
export { openScanModel } from "./model.ts";
export {
  describeOutput,
  type OutputKind,
  outputKinds,
  type WriteOptions,
  type WrittenOutputs,
  writeOutputs,
} from "./outputs.ts";
export type { ExplainRequest, ScanModel } from "./request.ts";
export type { Stage } from "./stages.ts";
