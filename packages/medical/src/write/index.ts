/** Results as files that viewers and archives read. */

export type { ResultOf, WrittenInstance } from "./common.ts";
export { writeNrrd } from "./nrrd.ts";
export { writeParametricMap } from "./parametric-map.ts";
export { type SecondaryCaptureOptions, type SlicePicture, writeSecondaryCapture } from "./secondary-capture.ts";
export { type SegmentationResult, writeSegmentation } from "./segmentation.ts";
export type { Voxels } from "./voxels.ts";
