import type { Fit, InputManifest, ResizeManifest } from "../model/manifest.ts";
import { defaultResize } from "../model/preprocessing.ts";
import type { Tensor } from "../tensor.ts";
import type { Picture } from "./picture.ts";
import { resample } from "./resample.ts";

/**
 * The rectangle of the original picture that the model saw, in original pixels: origin at the top left corner of the top
 * left pixel, x right, y down, fractions allowed. The model's input covers exactly this rectangle. With padding it reaches
 * beyond the picture (x or y below 0).
 */
export type Placement = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** uint8 [1, H, W, C], C in the model's channel order, and where it lies in the picture. */
export type PreparedPicture = { readonly tensor: Tensor; readonly placement: Placement };

type Size = { width: number; height: number };

/** The size of the whole picture just before the crop or the padding, by fit. Rounded as torchvision rounds. */
const scaledSize: Readonly<Record<Fit, (picture: Size, model: Size, resize: ResizeManifest) => Size>> = {
  squash: (_, model, { resizeTo }) => (resizeTo === undefined ? model : boxOf(resizeTo)),
  "short-side": ({ width, height }, model, { resizeTo: short }) => {
    if (typeof short !== "number") {
      const box = short ? boxOf(short) : model;
      return scaledBy(Math.max(box.width / width, box.height / height), { width, height });
    }
    return width <= height
      ? { width: short, height: Math.max(1, Math.floor((short * height) / width)) }
      : { width: Math.max(1, Math.floor((short * width) / height)), height: short };
  },
  pad: ({ width, height }, model) => scaledBy(Math.min(model.width / width, model.height / height), { width, height }),
};

/**
 * A picture at the model's size, as bytes, with nothing but geometry and channel order done: scaling to values, mean, std and
 * layout are nodes of the graph (see `pixelAffine`). For inputs with depth or time this is one slice or frame.
 *
 * The whole picture is resized first and the middle cut out after, as torchvision's Resize and CenterCrop do; where the
 * resized picture is smaller than the model's input, `padValue` (default 0) fills the rest.
 */
export function preparePicture(picture: Picture, input: InputManifest): PreparedPicture {
  const [modelHeight, modelWidth] = input.size.slice(-2) as [number, number];
  const resize = input.resize ?? defaultResize;
  const scaled = scaledSize[resize.fit](picture, { width: modelWidth, height: modelHeight }, resize);
  const left = centered(scaled.width - modelWidth);
  const top = centered(scaled.height - modelHeight);

  const grey = input.channelOrder === "grey";
  const channels = grey ? 1 : 3;
  const inside = {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(modelWidth, scaled.width),
    height: Math.min(modelHeight, scaled.height),
  };
  const samples = {
    width: picture.width,
    height: picture.height,
    channels,
    data: grey ? luma(picture.rgb) : picture.rgb,
  };
  const resized = resample(samples, { ...scaled, ...resize, crop: inside }).data;

  const data = new Uint8Array(modelHeight * modelWidth * channels).fill(resize.padValue ?? 0);
  const rowBytes = inside.width * channels;
  for (let y = 0; y < inside.height; y++) {
    const to = ((y + Math.max(0, -top)) * modelWidth + Math.max(0, -left)) * channels;
    data.set(resized.subarray(y * rowBytes, (y + 1) * rowBytes), to);
  }
  if (input.channelOrder === "BGR") swapEnds(data);

  const [perX, perY] = [picture.width / scaled.width, picture.height / scaled.height]; // original pixels a resized one
  return {
    tensor: { dtype: "uint8", shape: [1, modelHeight, modelWidth, channels], data },
    placement: { x: left * perX, y: top * perY, width: modelWidth * perX, height: modelHeight * perY },
  };
}

/**
 * What turns a prepared byte into the value the model takes, by channel in the model's order:
 *
 *   value = (low + byte / 255 * (high - low) - mean) / std = byte * scale + offset      with [low, high] the input's `range`
 */
export function pixelAffine(input: InputManifest): { scale: number[]; offset: number[] } {
  const [low, high] = input.range ?? [0, 1];
  const channels = input.channelOrder === "grey" ? 1 : 3;
  const std = Array.from({ length: channels }, (_, c) => input.std?.[c] ?? 1);
  return {
    scale: std.map((s) => (high - low) / 255 / s),
    offset: std.map((s, c) => (low - (input.mean?.[c] ?? 0)) / s),
  };
}

/** From a point of the model's input (or of a map over it), in its pixels, to the original picture's pixels. */
export function toPicture(placement: Placement, model: Size, [x, y]: readonly [number, number]): [number, number] {
  return [placement.x + (x / model.width) * placement.width, placement.y + (y / model.height) * placement.height];
}

/** The way back: from the original picture's pixels to the model's. */
export function toModel(placement: Placement, model: Size, [x, y]: readonly [number, number]): [number, number] {
  return [((x - placement.x) / placement.width) * model.width, ((y - placement.y) / placement.height) * model.height];
}

/** ITU-R 601 luma in Pillow's fixed point: L = (19595 R + 38470 G + 7471 B + 2^15) / 2^16. */
export function luma(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, from = 0; i < grey.length; i++, from += 3)
    grey[i] = (19595 * rgb[from]! + 38470 * rgb[from + 1]! + 7471 * rgb[from + 2]! + 0x8000) >> 16;
  return grey;
}

function boxOf(size: number | readonly [number, number]): Size {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  return { width, height };
}

function scaledBy(factor: number, { width, height }: Size): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/**
 * The first row or column of a centred crop; negative when there is that much padding before it. Half pixels go to the
 * even side when cropping (Python's round), and the smaller half of padding comes first, both as torchvision has it.
 */
function centered(margin: number): number {
  if (margin < 0) return -Math.floor(-margin / 2) || 0;
  const half = Math.floor(margin / 2);
  return margin % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}

function swapEnds(bgr: Uint8Array): void {
  for (let i = 0; i < bgr.length; i += 3) [bgr[i], bgr[i + 2]] = [bgr[i + 2]!, bgr[i]!];
}
