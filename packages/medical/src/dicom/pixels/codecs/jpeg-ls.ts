import { frameHeader } from "../jpeg/markers.ts";
import { PixelFault } from "../limits.ts";
import { type Codec, checkEnd, checkSize } from "./codec.ts";
import { interleaved } from "./native.ts";
import { openWasm, runDecoder } from "./wasm.ts";

/** JPEG-LS, lossless and near-lossless, by CharLS: PS3.5, A.4.3. */
export async function open(): Promise<Codec> {
  const codec = await openWasm("jpeg-ls");
  return (bytes, layout) => {
    const { marker, precision, rows, columns, components } = frameHeader(bytes);
    if (marker !== 0xf7) throw new PixelFault(`not a JPEG-LS stream: its frame's marker is ${marker.toString(16)}`);
    checkSize(layout, { rows, columns, samplesPerPixel: components.length });
    checkEnd(bytes); // CharLS looks for the end of a truncated one for ten seconds
    const { samples, planar } = runDecoder(codec, "JpegLSDecoder", bytes);
    return { samples: planar ? interleaved(samples, components.length) : samples, precision };
  };
}
