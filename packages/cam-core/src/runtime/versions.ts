import { env } from "onnxruntime-node";
import sharp from "sharp";

export type NativeVersions = {
  readonly onnxruntime: string;
  readonly sharp: string;
  readonly libvips: string;
  /** Picture formats that this build of libvips reads from files. */
  readonly pictureFormats: readonly string[];
};

/** The native libraries this process has loaded; that it returns at all says that both of them load. */
export function nativeVersions(): NativeVersions {
  const formats = Object.values(sharp.format) as readonly { id: string; input: { file: boolean } }[];
  return {
    onnxruntime: env.versions.node ?? env.versions.common,
    sharp: sharp.versions.sharp ?? "unknown",
    libvips: sharp.versions.vips,
    pictureFormats: formats.filter((format) => format.input.file && format.id !== "vips").map((format) => format.id),
  };
}
