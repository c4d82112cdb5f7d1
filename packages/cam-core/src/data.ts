/**
 * The door for whoever makes samples: errors, tensors, files, pictures, random numbers and scenes, but nothing of models. It
 * opens in 20 ms of processor time, `index.ts`, which exports all of this too, in 400. Threads that feed a network take this one.
 */

export * from "./errors.ts";
export { type DecodedPicture, decodePicture } from "./image/decode.ts";
export { type EncodeOptions, encodePicture } from "./image/encode.ts";
export type { Picture } from "./image/picture.ts";
export { luma, type PreparedPicture, preparePicture } from "./image/prepare.ts";
export { type Resizing, resample, type Samples } from "./image/resample.ts";
export type { InputManifest } from "./model/manifest.ts";
export { decodeNpy, encodeNpy } from "./npy.ts";
export * from "./phantom/index.ts";
export { fileError, readBytes, sha256Hex, writeAtomic } from "./runtime/files.ts";
export {
  type DType,
  float32,
  float64,
  int64,
  numbersIn,
  positionsOf,
  sizeOf,
  type Tensor,
  viewBytes,
  zeros,
} from "./tensor.ts";
