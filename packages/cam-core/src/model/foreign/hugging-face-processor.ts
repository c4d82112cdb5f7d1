import * as z from "zod/mini";
import type { ValueInfo } from "../../graph/graph.ts";
import type { InputManifest, Kernel, ResizeManifest } from "../manifest.ts";
import { type Found, isObject, type PictureLayout, parseForeign } from "./format.ts";
import { atGraphSize, perChannel, type Size } from "./geometry.ts";

const side = z.int().check(z.positive());
const sizes = z.nullish(
  z.union([
    side,
    z.tuple([side, side]),
    z.looseObject({ height: side, width: side }),
    z.looseObject({ shortest_edge: side, longest_edge: z.nullish(side) }),
    z.looseObject({ longest_edge: side }),
    z.looseObject({ max_height: side, max_width: side }),
  ]),
);
const flag = z.nullish(z.boolean());
const numbers = z.nullish(z.union([z.number(), z.array(z.number()).check(z.minLength(1))]));
const above = z.number().check(z.positive());
const positive = z.nullish(z.union([above, z.array(above).check(z.minLength(1))]));
const schema = z.looseObject({
  image_processor_type: z.nullish(z.string()),
  video_processor_type: z.nullish(z.string()),
  feature_extractor_type: z.nullish(z.string()),
  do_resize: flag,
  size: sizes,
  resample: z.nullish(z.int()),
  do_center_crop: flag,
  crop_size: sizes,
  crop_pct: z.nullish(above),
  do_rescale: flag,
  rescale_factor: z.nullish(above),
  rescale_offset: flag,
  offset: flag,
  do_normalize: flag,
  image_mean: numbers,
  image_std: positive,
  do_pad: flag,
  do_flip_channel_order: flag,
  include_top: flag,
});
type Fields = z.output<typeof schema>;

/** A processor's settings, where they stand, and the class that reads them ("ViT" of ViTImageProcessorFast). */
export type Processor = { readonly fields: Fields; readonly file: string; readonly type: string };

/** Where a processor's settings may stand; for clips those for video come first. */
const places: readonly { file: string; key?: string; clip?: boolean }[] = [
  { file: "video_preprocessor_config.json", clip: true },
  { file: "processor_config.json", key: "video_processor", clip: true },
  { file: "preprocessor_config.json" },
  { file: "processor_config.json", key: "image_processor" },
];

/** What only settings for pictures have; speech models have a preprocessor_config.json, too. */
const pictorial = ["image_processor_type", "video_processor_type", "image_mean", "do_resize", "do_center_crop"];

/** The settings of the processor for pictures, or for clips. Throws ManifestError for damaged ones. */
export function processorIn(
  json: Found["json"],
  { called, clip }: Pick<Found, "called"> & { clip: boolean },
): Processor | undefined {
  for (const { file, key, clip: forClips = false } of places) {
    const whole = json(file);
    const found = key === undefined ? whole : isObject(whole) ? whole[key] : undefined;
    if ((forClips && !clip) || !isObject(found) || !pictorial.some((name) => name in found)) continue;
    const fields = parseForeign(schema, found, key === undefined ? called(file) : `${called(file)}: ${key}`);
    const { image_processor_type, video_processor_type, feature_extractor_type } = fields;
    const name = image_processor_type ?? video_processor_type ?? feature_extractor_type ?? "";
    const type = name.replace(/(ImageProcessor|VideoProcessor|FeatureExtractor)(Fast)?$/, "");
    return { fields, file: called(file), type };
  }
  return undefined;
}

/** Pillow's numbers of its filters. */
const kernels: Readonly<Record<number, Kernel>> = { 0: "nearest", 1: "lanczos3", 2: "bilinear", 3: "bicubic" };

type Processed = Omit<InputManifest, "layout" | "size"> & { size: Size };

/** How the processor prepares pictures for a graph input, all but the layout. */
export function inputFromProcessor(
  { fields, type }: Processor,
  info: Pick<ValueInfo, "shape"> & { layout: PictureLayout },
  channels: 1 | 3,
  notes: string[],
): Processed {
  const kernel = kernels[fields.resample ?? 2];
  if (fields.resample == null) notes.push("the processor doesn't say how it resizes: bilinear was assumed");
  else if (!kernel) notes.push(`the processor resizes with Pillow's filter ${fields.resample}: here bilinear`);
  const { size, ...resize } = sized(fields, type, notes);
  const geometry = atGraphSize(
    { size, resize: { kernel: kernel ?? "bilinear", antialias: true, ...resize } },
    info,
    notes,
  );
  return {
    ...geometry,
    channelOrder: channels === 1 ? "grey" : fields.do_flip_channel_order ? "BGR" : "RGB",
    range: rangeOf(fields),
    ...perChannel(standardising(fields, notes), channels, notes),
  };
}

/** What bytes are before mean and std: times the factor, minus 1 where there is an offset. */
function rangeOf({ do_rescale, rescale_factor, rescale_offset, offset }: Fields): [number, number] {
  if (do_rescale === false) return [0, 255];
  const white = 255 * (rescale_factor ?? 1 / 255);
  const low = rescale_offset || offset ? -1 : 0;
  return [low, Number((white + low).toPrecision(12))]; // 255 * 0.00392156862745098 is 1
}

function standardising(fields: Fields, notes: string[]): { mean?: number[]; std?: number[] } {
  const { do_normalize, image_mean, image_std, include_top } = fields;
  if (do_normalize === false || (do_normalize == null && image_mean == null)) return {};
  if (image_mean == null || image_std == null)
    notes.push("the processor standardises, but doesn't state mean and std both: 0.5 was assumed for what is missing");
  const [mean, std] = [[image_mean ?? 0.5].flat(), [image_std ?? 0.5].flat()];
  // EfficientNet's divides by std once more, as TensorFlow's weights want it.
  return { mean, std: include_top ? std.map((s) => s * s) : std };
}

type Sized = { size: Size } & Pick<ResizeManifest, "fit" | "resizeTo" | "padValue">;

/** Processors that read `size`, `crop_size` and `crop_pct` in a way of their own. */
const own: Readonly<Record<string, (fields: Fields, notes: string[]) => Sized | undefined>> = {
  // Below 384 the short side grows by 1 / crop_pct and the middle is taken; from there on pictures are squashed.
  ConvNext: ({ size, crop_pct }) => {
    const short = shortest(size, 384);
    if (short >= 384) return { size: [short, short], fit: "squash" };
    return { size: [short, short], fit: "short-side", resizeTo: Math.floor(short / (crop_pct ?? 224 / 256)) };
  },
  Levit: ({ size, crop_size, do_center_crop }) =>
    do_center_crop === false || (isObject(size) && "height" in size)
      ? undefined
      : {
          size: cropOf(crop_size),
          fit: "short-side",
          resizeTo: Math.floor((256 / 224) * shortest(size, 224)),
        },
  PoolFormer: ({ size, crop_size, crop_pct, do_center_crop }) =>
    do_center_crop === false || crop_pct == null
      ? undefined
      : { size: cropOf(crop_size), fit: "short-side", resizeTo: Math.floor(shortest(size, 224) / crop_pct) },
  Perceiver: ({ size, crop_size, do_center_crop }, notes) => {
    if (do_center_crop === false) return undefined;
    notes.push(
      "the processor crops before it resizes; here it is the other way round, to the same part of the picture",
    );
    return { size: cropOf(size), fit: "short-side", resizeTo: shortest(crop_size, 256) };
  },
};

/** Processors of earlier versions that meant a square by a single number though they crop; the others that crop, the short side. */
const squareBeforeCrop: ReadonlySet<string> = new Set(["DeiT", "Beit", "Flava"]);

/**
 * The size that the model takes, and the way there. Of an odd margin, processors on NumPy cut the smaller half off first, those on
 * torch ("Fast", the default from transformers 5 on) round half to even, as here: one pixel between them.
 */
function sized(fields: Fields, type: string, notes: string[]): Sized {
  const special = own[type]?.(fields, notes);
  if (special) return special;
  const { do_resize, size, do_center_crop, crop_size, do_pad } = fields;
  const crop = do_center_crop ? cropOf(crop_size) : undefined;
  if (do_resize === false || size == null) {
    notes.push("the processor doesn't resize; pictures are squashed to the model's size here");
    return { size: crop ?? [usual, usual], fit: "squash" };
  }
  if (typeof size === "number" && crop && !squareBeforeCrop.has(type))
    return { size: crop, fit: "short-side", resizeTo: size };
  if (typeof size === "number" || Array.isArray(size) || "height" in size) return squashed(boxOf(size), crop);
  if ("shortest_edge" in size && crop) return { size: crop, fit: "short-side", resizeTo: size.shortest_edge as number };
  if ("longest_edge" in size && !("shortest_edge" in size) && do_pad) {
    notes.push("the processor pads on the right and below, after standardising; here all around, with black");
    return { size: boxOf(size.longest_edge as number), fit: "pad" };
  }
  const named = Object.entries(size).map(([key, value]) => `${key} ${value}`);
  notes.push(`the processor keeps proportions (${named.join(", ")}); here pictures are squashed to one size`);
  const edge = Object.values(size).find((value) => typeof value === "number");
  return { size: boxOf(edge ?? usual), fit: "squash" };
}

function squashed(size: Size, crop: Size | undefined): Sized {
  if (!crop || String(crop) === String(size)) return { size, fit: "squash" };
  return { size: crop, fit: "squash", resizeTo: size[0] === size[1] ? size[0] : size };
}

/** Where nothing says a size and the graph leaves it open. */
const usual = 224;

function shortest(size: Fields["size"], otherwise: number): number {
  if (size == null) return otherwise;
  if (isObject(size) && typeof size.shortest_edge === "number") return size.shortest_edge;
  return Math.min(...boxOf(size));
}

function cropOf(size: Fields["crop_size"]): Size {
  return boxOf(size ?? usual);
}

/** A size in any of its spellings as height and width; one edge means a square. */
function boxOf(size: NonNullable<Fields["size"]>): Size {
  if (typeof size === "number") return [size, size];
  if (Array.isArray(size)) return [size[0]!, size[1]!];
  const named = size as Readonly<Record<string, number | undefined>>;
  const height = named.height ?? named.max_height ?? named.shortest_edge ?? named.longest_edge ?? usual;
  return [height, named.width ?? named.max_width ?? height];
}
