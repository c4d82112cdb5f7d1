/** A scan as a network's input, and a network's map back on the scan. */

export { type PreparationReport, type PreparedCt, prepareLungCt } from "./lung-ct.ts";
export { leftLung, rightLung } from "./lungs/cores.ts";
export { findLungs, type LungMask } from "./lungs/lung-mask.ts";
export { mapOnScan } from "./map-on-scan.ts";
export type { LungCtOptions, LungCtSettings } from "./options.ts";
export type { AxisPlacement, Placement } from "./placement.ts";
export { type PreparedVolume, prepareVolume } from "./prepare-volume.ts";
export type { VolumeOptions as VolumePreparation } from "./volume-options.ts";
