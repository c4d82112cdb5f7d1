import type { Builder, Value } from "../graph/builder.ts";
import type { InputManifest, ResizeManifest } from "../model/manifest.ts";
import { defaultResize } from "../model/preprocessing.ts";
import { float32 } from "../tensor.ts";
import { feedPixels, type PixelAffine } from "./pixels.ts";
import { resized, type Size } from "./resample-nodes.ts";

/**
 * Puts the whole way from pictures to values in front of a graph: uint8 [N, H, W, 3] in RGB, of any size, becomes the model's
 * input, resized, cropped or padded as `preparePicture` does it. Throws InputError for a layout that isn't one picture per sample.
 */
export function feedPictures(
  op: Builder,
  input: Value,
  name: Value,
  manifest: InputManifest,
  affine: PixelAffine,
): void {
  const batch = op.dims(input)?.[0] ?? "N";
  const at = op.graph.inputs.findIndex((info) => info.name === input);
  const pixels = feedPixels(op, input, manifest, affine, batch);
  const shape = [batch, `${name}_height`, `${name}_width`, 3];
  op.graph.inputs = op.graph.inputs.filter((info) => info.name !== pixels);
  op.graph.inputs.splice(at, 0, { name, dtype: "uint8", shape });
  op.facts.types.set(name, { dtype: "uint8", shape });
  const values = op.cast(name, "float32");
  const planes = op.transpose(coloured(op, values, manifest), [0, 3, 1, 2]); // [N, C, H, W]
  const sized = atModelSize(op, planes, manifest);
  op.alias(op.cast(op.transpose(sized, [0, 2, 3, 1]), "uint8"), pixels);
}

/** RGB in the model's order of channels: [N, H, W, C]. */
function coloured(op: Builder, rgb: Value, { channelOrder = "RGB" }: InputManifest): Value {
  if (channelOrder === "RGB") return rgb;
  if (channelOrder === "BGR") return op.gather(rgb, op.ints([2, 1, 0]), 3);
  // ITU-R 601 luma in Pillow's fixed point, as `luma` has it; every number is whole and below 2^24, so float32 is exact.
  const weighted = op.matMul(rgb, op.constant(float32([3, 1], [19595, 38470, 7471])));
  return op.floor(op.div(op.add(weighted, 0x8000), 0x10000));
}

function atModelSize(op: Builder, planes: Value, manifest: InputManifest): Value {
  const resize = manifest.resize ?? defaultResize;
  const [height, width] = manifest.size.slice(-2) as [number, number];
  const scalar = (size: number) => op.scalar(size, "int64");
  const model = { height: scalar(height), width: scalar(width) };
  const picture = { height: op.squeeze(op.dim(planes, 2), [0]), width: op.squeeze(op.dim(planes, 3), [0]) };
  if (resize.fit === "squash" && resize.resizeTo === undefined) return resized(op, planes, picture, model, resize);
  const scaled = scaledSize(op, picture, model, resize);
  return centred(op, resized(op, planes, picture, scaled, resize), scaled, model, resize.padValue ?? 0);
}

/** The whole picture's size just before the crop or the padding: `scaledSize` of image/prepare, in whole numbers. */
function scaledSize(op: Builder, picture: Size, model: Size, { fit, resizeTo }: ResizeManifest): Size {
  if (fit === "short-side" && typeof resizeTo === "number") {
    const upright = op.lessOrEqual(picture.width, picture.height);
    const long = (side: Value, short: Value) => op.max(op.div(op.mul(side, resizeTo), short), 1);
    return {
      height: op.where(upright, long(picture.height, picture.width), resizeTo),
      width: op.where(upright, resizeTo, long(picture.width, picture.height)),
    };
  }
  const [boxHeight, boxWidth] = typeof resizeTo === "number" ? [resizeTo, resizeTo] : (resizeTo ?? []);
  const box = {
    height: boxHeight === undefined ? model.height : op.scalar(boxHeight, "int64"),
    width: boxWidth === undefined ? model.width : op.scalar(boxWidth, "int64"),
  };
  if (fit === "squash") return box;
  // Half up: (2ab + c) / 2c is ab / c, rounded.
  const rounded = (a: Value, b: Value, of: Value) =>
    op.max(op.div(op.add(op.mul(op.mul(a, b), 2), of), op.mul(of, 2)), 1);
  const [byWidth, byHeight] = [op.mul(box.width, picture.height), op.mul(box.height, picture.width)];
  const fitsWidth = fit === "pad" ? op.lessOrEqual(byWidth, byHeight) : op.greaterOrEqual(byWidth, byHeight);
  return {
    height: op.where(fitsWidth, rounded(picture.height, box.width, picture.width), box.height),
    width: op.where(fitsWidth, box.width, rounded(picture.width, box.height, picture.height)),
  };
}

/** The middle cut out, and what is missing filled up around it. */
function centred(op: Builder, planes: Value, scaled: Size, model: Size, padValue: number): Value {
  const margin = op.sub(vector(op, scaled), vector(op, model)); // [2]: rows, columns
  const half = op.div(op.max(margin, 0), 2);
  // Half pixels go to the even side when cropping, and the smaller half of the padding comes first.
  const odd = op.mul(op.mod(op.max(margin, 0), 2), op.mod(half, 2));
  const first = op.add(half, odd);
  const cut = op.slice(planes, { axes: [2, 3], starts: first, ends: op.add(first, vector(op, model)) });
  const missing = op.max(op.neg(margin), 0);
  const before = op.div(missing, 2);
  const none = op.ints([0, 0]);
  return op.pad(cut, op.concat([none, before, none, op.sub(missing, before)], 0), padValue);
}

function vector(op: Builder, { height, width }: Size): Value {
  return op.concat([op.unsqueeze(height, [0]), op.unsqueeze(width, [0])], 0);
}
