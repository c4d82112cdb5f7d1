import { frameHeader } from "../jpeg/markers.ts";
import { decodeSequential } from "../jpeg/sequential.ts";
import { PixelFault } from "../limits.ts";
import { type Codec, checkSize } from "./codec.ts";
import { openWasm, runDecoder } from "./wasm.ts";

/**
 * JPEG baseline and extended, PS3.5, A.4.1: 8 bits by libjpeg-turbo, which gives RGB for three components; 12 bits here.
 */
export async function open(): Promise<Codec> {
  const codec = await openWasm("jpeg");
  return (bytes, layout) => {
    const { marker, precision, rows, columns, components } = frameHeader(bytes);
    if (marker > 0xc1)
      throw new PixelFault(
        `JPEG with frame SOF${marker - 0xc0} where the transfer syntax has SOF0 or SOF1`,
        "unsupported",
      );
    checkSize(layout, { rows, columns, samplesPerPixel: components.length });
    if (precision !== 8) return { samples: decodeSequential(bytes).samples, precision };
    const { samples } = runDecoder(codec, "JPEGDecoder", bytes);
    const colour = components.length === 3 ? { photometricInterpretation: "RGB" } : {};
    return { samples, precision, ...colour };
  };
}
