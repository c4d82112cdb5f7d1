import { decodeLossless } from "../jpeg/lossless.ts";
import { frameHeader } from "../jpeg/markers.ts";
import { type Codec, checkSize } from "./codec.ts";

/** JPEG Lossless, process 14, any predictor: PS3.5, A.4.2. */
export const decode: Codec = (bytes, layout) => {
  const { rows, columns, components } = frameHeader(bytes);
  checkSize(layout, { rows, columns, samplesPerPixel: components.length });
  const { samples, frame } = decodeLossless(bytes);
  return { samples, precision: frame.precision };
};
