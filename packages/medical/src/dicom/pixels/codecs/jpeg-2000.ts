import { hex } from "../jpeg/markers.ts";
import { PixelFault } from "../limits.ts";
import { type Codec, checkEnd, checkSize } from "./codec.ts";
import { openWasm, runDecoder } from "./wasm.ts";

/** JPEG 2000 by OpenJPEG and High-Throughput JPEG 2000 by OpenJPH: PS3.5, A.4.4. */
export const openJpeg2000 = () => open("jpeg-2000", "J2KDecoder");
export const openHighThroughput = () => open("htj2k", "HTJ2KDecoder");

async function open(name: "jpeg-2000" | "htj2k", decoder: string): Promise<Codec> {
  const codec = await openWasm(name);
  return (bytes, layout) => {
    const stream = codestream(bytes);
    const { rows, columns, components, precision, isSigned } = sizeOf(stream);
    checkSize(layout, { rows, columns, samplesPerPixel: components });
    checkEnd(stream); // a truncated one decodes to a blurred picture: that's what JPEG 2000 is made for
    const samples =
      name === "jpeg-2000" && isSigned && precision <= 8
        ? signedBytes(codec, decoder, stream, components, precision)
        : runDecoder(codec, decoder, stream).samples;
    // Both codecs undo the stream's own colour transform, and leave other colours alone.
    const undone = /^YBR_(RCT|ICT)$/.test(layout.photometricInterpretation);
    return { samples, precision, ...(undone ? { photometricInterpretation: "RGB" } : {}) };
  };
}

/**
 * OpenJPEG's build makes 0 of negative values with 8 bits. A stream's sign does nothing but keep half the range from being added
 * (ITU-T T.800, G.1), so it is decoded without its sign, and the half taken away again.
 */
function signedBytes(
  codec: Parameters<typeof runDecoder>[0],
  decoder: string,
  stream: Uint8Array,
  components: number,
  precision: number,
): Int8Array {
  const unsigned = stream.slice();
  for (let c = 0; c < components; c++) unsigned[ssiz + 3 * c]! &= 127;
  const half = 2 ** (precision - 1);
  return Int8Array.from(runDecoder(codec, decoder, unsigned).samples, (value) => value - half);
}

/** Where the first component's sign and precision stand. */
const ssiz = 42;
const soc = 0xff4f;
const siz = 0xff51;

/** Some writers put the whole JP2 file where the standard wants its codestream alone. */
function codestream(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength >= 4 && view.getUint16(0) === soc) return bytes;
  for (let at = 0; at + 8 <= view.byteLength; ) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x6a703263) return bytes.subarray(at + 8); // jp2c
    if (length < 8) break;
    at += length;
  }
  throw new PixelFault(`not a JPEG 2000 codestream: begins with ${hex(bytes, 4)}, not with FF 4F`);
}

/** The image and tile size marker: ITU-T T.800, A.5.1. */
function sizeOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 45 || view.getUint16(2) !== siz)
    throw new PixelFault("the JPEG 2000 codestream has no size marker");
  const at = (field: number) => view.getUint32(8 + 4 * field);
  return {
    columns: at(0) - at(2),
    rows: at(1) - at(3),
    components: view.getUint16(40),
    precision: (view.getUint8(ssiz) & 127) + 1,
    isSigned: view.getUint8(ssiz) > 127,
  };
}
