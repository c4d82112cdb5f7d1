/** Results as files that viewers and archives read. */

export type { Code } from "./codes.ts";
export type { ResultOf, WrittenInstance } from "./common.ts";
export { writeNrrd } from "./nrrd.ts";
export { writeParametricMap } from "./parametric-map.ts";
export type { ClassPrediction } from "./report/groups.ts";
export { lungMeasurements, lungSite, type Measurement, type Site } from "./report/measurements.ts";
export { type ReportContent, writeReport } from "./report/report.ts";
export { type SecondaryCaptureOptions, type SlicePicture, writeSecondaryCapture } from "./secondary-capture.ts";
export { type SegmentationResult, writeSegmentation } from "./segmentation.ts";
export type { Voxels } from "./voxels.ts";
