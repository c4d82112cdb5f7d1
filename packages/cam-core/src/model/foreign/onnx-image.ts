import { ManifestError } from "../../errors.ts";
import type { ChannelOrder, InputManifest } from "../manifest.ts";
import { defaultPreprocessing } from "../preprocessing.ts";
import { type ForeignFormat, pictureInput } from "./format.ts";

const inside = "the model's image metadata";

/** By `Image.BitmapPixelFormat`. */
const orders: Readonly<Record<string, ChannelOrder>> = { Gray8: "grey", Rgb8: "RGB", Bgr8: "BGR" };

/** By `Image.NominalPixelRange`. */
const ranges: Readonly<Record<string, [number, number]>> = {
  NominalRange_0_255: [0, 255],
  Normalized_0_1: [0, 1],
  Normalized_1_1: [-1, 1],
  NominalRange_16_235: [16, 235],
};

/**
 * ONNX's own metadata of pictures, as Azure Custom Vision and WinMLTools write it: channel order and range; that pictures are squashed
 * to the size is assumed. Source: onnx, docs/MetadataProps.md.
 */
export const onnxImage: ForeignFormat = {
  name: "ONNX image metadata",
  files: [],
  read({ graph, name }) {
    const format = graph.metadata.get("Image.BitmapPixelFormat");
    const info = pictureInput(graph);
    if (format === undefined || !info || info.layout.includes("T")) return undefined;
    const order = orders[format];
    const stated = graph.metadata.get("Image.NominalPixelRange") ?? "NominalRange_0_255";
    const range = ranges[stated];
    if (!order)
      throw new ManifestError(inside, `Image.BitmapPixelFormat is ${format}, known: ${Object.keys(orders).join(", ")}`);
    if (!range)
      throw new ManifestError(inside, `Image.NominalPixelRange is ${stated}, known: ${Object.keys(ranges).join(", ")}`);
    const { size, resize, layout } = defaultPreprocessing(info.shape ?? [], info.dtype).input;
    const input: InputManifest = { layout, size, channelOrder: order, ...(resize && { resize }), range };
    const notes = ["how pictures are resized isn't said: they are squashed to the size, bilinearly"];
    return { manifest: { formatVersion: 1, name, inputs: { [info.name]: input } }, files: [inside], notes };
  },
};
