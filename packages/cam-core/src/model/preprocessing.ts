import { InputError, ManifestError } from "../errors.ts";
import type { ValueInfo } from "../graph/graph.ts";
import type { ChannelOrder, InputManifest, Layout, ResizeManifest } from "./manifest.ts";
import type { Model } from "./model.ts";
import { type Normalising, normalisingOf } from "./normalising.ts";

/** Default of `InputManifest.resize`: the whole picture, as Pillow would shrink it. */
export const defaultResize: ResizeManifest = { kernel: "bilinear", antialias: true, fit: "squash" };

/** How pictures get into an input. `from`, `assumed` and `notes` belong in every result made with it. */
export type Preprocessing = {
  readonly input: InputManifest;
  readonly assumed: boolean;
  /** The files that say so; "assumed" where none does. */
  readonly from: string;
  /** What the graph does to its input itself, as a formula of x. */
  readonly graphNormalises?: string;
  /** What was guessed, and what looks wrong. */
  readonly notes: readonly string[];
};

/** A guess at how a model wants its pictures. */
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
 * How pictures get into an input of the model: as its manifest says, else assumed. A graph that scales or standardises its input
 * itself is assumed to take the pixels that its own figures are for; where a manifest standardises as well, a note warns of it.
 * Throws InputError when the input can't be a picture, ManifestError when the manifest contradicts the graph.
 */
export function preprocessingOf(
  { graph, manifest, manifestFrom }: Pick<Model, "graph" | "manifest" | "manifestFrom">,
  input: Pick<ValueInfo, "name" | "shape" | "dtype">,
): Preprocessing {
  const stated = manifest?.inputs?.[input.name];
  if (!stated) {
    const silent = manifest ? `${manifestFrom?.files.join(", ") || "the manifest"} doesn't say it` : undefined;
    const guessed = defaultPreprocessing(input.shape ?? [], input.dtype, silent);
    const normalising = normalisingOf(graph, input, guessed.input);
    const made = normalising?.takes ? rawPixels(guessed, normalising, normalising.takes, silent) : guessed;
    return { ...made, from: "assumed", ...(normalising && { graphNormalises: normalising.formula }) };
  }
  const from = manifestFrom?.inputsFrom ?? (manifestFrom?.files.join(", ") || "the manifest");
  checkStated(from, input, stated);
  const normalising = normalisingOf(graph, input, stated);
  return {
    input: stated,
    assumed: false,
    from,
    ...(normalising && { graphNormalises: normalising.formula }),
    notes: normalising ? twice(stated, normalising, from) : [],
  };
}

/** The guess with the pixels that the graph's own normalisation takes. */
function rawPixels(
  { input: { mean: _mean, std: _std, ...input }, notes }: AssumedPreprocessing,
  { formula }: Normalising,
  range: [number, number],
  silent?: string,
): AssumedPreprocessing {
  const because = `the graph normalises its input itself, ${formula}: pixels go in as ${range.join("..")}`;
  const [, ...more] = notes;
  return { input: { ...input, range }, assumed: true, notes: [assumedBecause(because, silent), ...more] };
}

function assumedBecause(because: string, silent = "the model has no manifest"): string {
  return `preprocessing was assumed, ${silent}: ${because}`;
}

/** A warning where what is fed doesn't fit what the graph's own normalisation was made for. */
function twice(stated: InputManifest, { takes, formula }: Normalising, from: string): string[] {
  if (!takes) return [];
  const [low, high] = valuesFed(stated);
  const slack = 0.02 * (takes[1] - takes[0]);
  if (Math.abs(low - takes[0]) <= slack && Math.abs(high - takes[1]) <= slack) return [];
  const fed = [low, high].map((value) => Number(value.toPrecision(3))).join("..");
  return [
    `the graph normalises its input itself, ${formula}: it takes ${takes.join("..")}; ${from} feeds it ${fed}, so pixels are scaled or standardised twice`,
  ];
}

/** The least and the greatest value that a byte becomes, over all channels. */
function valuesFed({ range: [black, white] = [0, 1], mean = [], std = [1] }: InputManifest): [number, number] {
  const channels = Array.from({ length: Math.max(mean.length, std.length) }, (_, c) => [mean[c] ?? 0, std[c] ?? 1]);
  const values = channels.flatMap(([m, s]) => [black, white].map((value) => (value - m!) / s!));
  return [Math.min(...values), Math.max(...values)];
}

/**
 * How to prepare a picture for a model without a manifest, from nothing but its input's shape: the whole picture squashed
 * to the input's size (bilinear, antialiased), and values by convention: uint8 inputs get the pixels; channels first and
 * three of them (PyTorch) 0..1 with ImageNet's mean and standard deviation; channels last (Keras) -1..1; one channel 0..1.
 *
 * A wrong guess shifts every score, so the answer says `assumed` and why; callers put that into their result. `preprocessingOf`
 * looks at the graph as well.
 * Throws InputError when the input can't be a picture.
 */
export function defaultPreprocessing(
  shape: readonly InputDim[],
  dtype = "float32",
  silent?: string,
): AssumedPreprocessing {
  const known = shape.map((dim) => (Number.isInteger(Number(dim)) && Number(dim) > 0 ? Number(dim) : undefined));
  const { layout, channels } = layoutOf(known, shape);
  const axis = (letter: string) => known[layout.indexOf(letter)];
  const size: [number, number] = [axis("H") ?? usualSide, axis("W") ?? usualSide];
  const channelOrder: ChannelOrder = channels === 1 ? "grey" : "RGB";
  const { because, ...values } =
    conventions[dtype === "uint8" ? "bytes" : channels === 1 ? "grey" : layout === "NHWC" ? "keras" : "torch"];
  const notes = [assumedBecause(because, silent)];
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
