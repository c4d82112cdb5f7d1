/** Pixels of DICOM instances: frames one by one, volumes in threads. */

export { decodeFrames, decodePictures } from "./decode-frames.ts";
export { type LoadedVolume, type LoadOptions, loadVolume, type VolumeSource } from "./load-volume.ts";
export type { StoredFrame } from "./open.ts";
export { closeDecoders, startDecoders } from "./pool.ts";
export type { RgbPicture } from "./rgb.ts";
