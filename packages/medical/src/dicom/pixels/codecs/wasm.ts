import { createRequire } from "node:module";
import { CodecCrash, PixelFault } from "../limits.ts";
import type { SampleArray } from "./codec.ts";

/** The decoders of Cornerstone's codecs, as WebAssembly. */
const modules = {
  jpeg: "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs",
  "jpeg-ls": "@cornerstonejs/codec-charls/decodewasmjs",
  "jpeg-2000": "@cornerstonejs/codec-openjpeg/decodewasmjs",
  htj2k: "@cornerstonejs/codec-openjph/wasmjs",
} as const;

type FrameInfo = {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned?: boolean;
};

type Decoder = {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): FrameInfo;
  /** Of JPEG-LS: 0 is plane after plane. */
  getInterleaveMode?(): number;
  delete(): void;
};

type Instance = Readonly<Record<string, unknown>> & { getExceptionMessage?(pointer: number): string };
type Factory = (options: { print(): void; printErr(): void }) => Promise<Instance>;

const require = createRequire(import.meta.url);

/** Starts a codec, 20 ms. They print what they find odd: here to nobody, errors come as exceptions. */
export function openWasm(name: keyof typeof modules): Promise<Instance> {
  const quiet = () => {};
  return (require(modules[name]) as Factory)({ print: quiet, printErr: quiet });
}

/**
 * One frame through a decoder. What comes back is a copy: the codec's memory is used again. Throws PixelFault; CodecCrash where
 * the instance should be given up.
 */
export function runDecoder(
  instance: Instance,
  name: string,
  bytes: Uint8Array,
): { samples: SampleArray; planar: boolean } {
  const decoder = new (instance[name] as new () => Decoder)();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount, isSigned } = decoder.getFrameInfo();
    const decoded = decoder.getDecodedBuffer();
    const count = width * height * componentCount;
    const Samples = bitsPerSample > 8 ? (isSigned ? Int16Array : Uint16Array) : isSigned ? Int8Array : Uint8Array;
    if (bitsPerSample > 16)
      throw new PixelFault(`compressed samples of ${bitsPerSample} bits: at most 16 are supported`);
    if (decoded.byteLength !== count * Samples.BYTES_PER_ELEMENT)
      throw new PixelFault(`the codec made ${decoded.byteLength} bytes of ${count} samples`);
    const samples = new Samples(new Uint8Array(decoded).buffer);
    return { samples, planar: componentCount > 1 && decoder.getInterleaveMode?.() === 0 };
  } catch (cause) {
    if (cause instanceof PixelFault) throw cause;
    const Fault = (cause as Error)?.name === "RuntimeError" ? CodecCrash : PixelFault;
    throw new Fault(`the compressed frame can't be decoded: ${reasonOf(instance, cause)}`);
  } finally {
    try {
      decoder.delete();
    } catch {} // after a crash; the error on its way says more
  }
}

function reasonOf(instance: Instance, cause: unknown): string {
  if (typeof cause === "number") return instance.getExceptionMessage?.(cause) ?? "the codec gives no reason";
  return cause instanceof Error ? cause.message : String(cause);
}
