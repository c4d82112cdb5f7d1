/** 3-D networks over prepared volumes: scores, and maps of where they came from. */

export {
  type ExplainedSegmentation,
  explainSegmentation,
  type Segmentation,
  type SegmentationOptions,
  segmentVolume,
} from "./explain-segmentation.ts";
export { type ExplainedVolume, explainVolume, type LayerMap, type VolumeOptions } from "./explain-volume.ts";
export { type SlidingWindow, slidingWindowSchema } from "./windows.ts";
