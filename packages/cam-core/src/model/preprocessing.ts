import { InputError, ManifestError } from "../errors.ts";
import type { ValueInfo } from "../graph/graph.ts";
import type { ChannelOrder, InputManifest, Layout, ResizeManifest } from "./manifest.ts";

/** Default of `InputManifest.resize`: the whole picture, as Pillow would shrink it. */
export const defaultResize: ResizeManifest = { kernel: "bilinear", antialias: true, fit: "squash" };

/** A guess at how a model wants its pictures. `assumed` and `notes` belong in every result made with it. */
export type AssumedPreprocessing = { input: InputManifest; assumed: true; notes: string[] };

/** A dimension of a graph input; anything but a positive whole number is unknown (symbolic, dynamic). */
export type InputDim = number | string | bigint | null | undefined;

/** Side in pixels when the graph leaves it open: what ImageNet models are trained at. */
const usualSide = 224;

/** ImageNet's, in RGB order, of pixels in 0..1: what torchvision and timm exports expect. */
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

type Guess = Pick<InputManifest, "range" | "mean" | "std"> & { because: string };

/** By who usually exports such an input. */
const conventions: Readonly<Record<"bytes" | "torch" | "keras" | "grey", Guess>> = {
  bytes: { range: [0, 255], because: "the input takes bytes: pixels go in as they are" },
  torch: {
    range: [0, 1],
    ...imagenet,
    because: "channels first, as PyTorch exports: ImageNet mean and standard deviation",
  },
  keras: { range: [-1, 1], because: "channels last, as Keras exports: pixels scaled to -1..1" },
  grey: { range: [0, 1], because: "one channel: pixels scaled to 0..1" },
};

/**
 * How to prepare a picture for a model without a manifest, from nothing but its input's shape: the whole picture squashed
 * to the input's size (bilinear, antialiased), and values by convention: uint8 inputs get the pixels; channels first and
 * three of them (PyTorch) 0..1 with ImageNet's mean and standard deviation; channels last (Keras) -1..1; one channel 0..1.
 *
 * A wrong guess shifts every score, so the answer says `assumed` and why; callers put that into their result.
 * Throws InputError when the input can't be a picture.
 */
export function defaultPreprocessing(shape: readonly InputDim[], dtype = "float32"): AssumedPreprocessing {
  const known = shape.map((dim) => (Number.isInteger(Number(dim)) && Number(dim) > 0 ? Number(dim) : undefined));
  const { layout, channels } = layoutOf(known, shape);
  const axis = (letter: string) => known[layout.indexOf(letter)];
  const size: [number, number] = [axis("H") ?? usualSide, axis("W") ?? usualSide];
  const channelOrder: ChannelOrder = channels === 1 ? "grey" : "RGB";
  const { because, ...values } =
    conventions[dtype === "uint8" ? "bytes" : channels === 1 ? "grey" : layout === "NHWC" ? "keras" : "torch"];
  const notes = [`preprocessing was assumed, the model has no manifest: ${because}`];
  if (axis("H") === undefined || axis("W") === undefined)
    notes.push(`the input's size is open: ${size[0]} x ${size[1]} was assumed`);
  return { input: { layout, size, channelOrder, resize: defaultResize, ...values }, assumed: true, notes };
}

/**
 * Refuses what a manifest states of an input where the graph says otherwise: sizes, number of channels. `path` is the manifest's.
 * Throws ManifestError.
 */
export function checkStated(
  path: string,
  { name, shape }: Pick<ValueInfo, "name" | "shape">,
  stated: InputManifest,
): void {
  const { layout, size, channelOrder } = stated;
  const space = [...layout].flatMap((letter, axis) => ("NC".includes(letter) ? [] : [shape?.[axis]]));
  if (space.some((dim, i) => typeof dim === "number" && dim !== size[i]))
    throw new ManifestError(
      path,
      `inputs.${name}.size is [${size.join(", ")}], but the model takes [${shape?.join(", ")}]`,
      { hint: `With layout ${layout}, size is [${space.map((dim) => dim ?? "any").join(", ")}].` },
    );
  const channels = shape?.[layout.indexOf("C")];
  const stands = channelOrder === "grey" ? 1 : 3;
  if (layout.includes("C") && typeof channels === "number" && channels !== stands)
    throw new ManifestError(
      path,
      `inputs.${name}.channelOrder is ${channelOrder ?? "RGB"}, but the model takes ${channels} channels: [${shape?.join(", ")}]`,
    );
}

function layoutOf(
  known: readonly (number | undefined)[],
  shape: readonly InputDim[],
): { layout: Layout; channels: number } {
  const isChannels = (dim: number | undefined) => dim === 1 || dim === 3;
  if (known.length === 4) {
    if (isChannels(known[1])) return { layout: "NCHW", channels: known[1] as number };
    if (isChannels(known[3])) return { layout: "NHWC", channels: known[3] as number };
    if (known[1] === undefined) return { layout: "NCHW", channels: 3 };
  }
  throw new InputError(
    `an input of shape [${shape.map((dim) => dim ?? "?").join(", ")}] does not look like a picture: expected [N, 1 or 3, H, W] or [N, H, W, 1 or 3]`,
    { hint: "Feed it a .npy tensor, or describe the input in a model.camkit.json." },
  );
}
