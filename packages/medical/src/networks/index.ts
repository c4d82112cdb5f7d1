/** 3-D networks over prepared volumes: scores, and maps of where they came from. */

export {
  type ExplainedSegmentation,
  explainSegmentation,
  type Segmentation,
  type SegmentationOptions,
  segmentVolume,
} from "./explain-segmentation.ts";
export { type ExplainedVolume, explainVolume, type LayerMap, type VolumeOptions } from "./explain-volume.ts";
export { type MedicalManifest, medicalManifest, medicalSchema } from "./manifest.ts";
export { type ForeignManifest, manifestFromMonai, monai } from "./monai.ts";
export { manifestFromNnunet, nnunet } from "./nnunet.ts";
export { type PreparedScan, prepareScan } from "./prepare-scan.ts";
export { explainRadiograph, type PreparedRadiograph, prepareRadiograph } from "./radiograph.ts";
export { openVolumeScorer, type VolumeScorer } from "./score-volume.ts";
export type { SlidingWindow } from "./windows.ts";
