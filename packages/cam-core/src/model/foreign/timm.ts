import * as z from "zod/mini";
import type { Manifest, ResizeManifest } from "../manifest.ts";
import { type ForeignFormat, isObject, parseForeign, pictureInput } from "./format.ts";
import { atGraphSize, channelsOf, kernelByName, perChannel, type Size } from "./geometry.ts";
import { labelsByNumber } from "./labels.ts";

const side = z.int().check(z.positive());
const sides = z.tuple([side, side, side]);
const labels = z.nullish(z.union([z.array(z.string()), z.record(z.string(), z.string())]));
const numbers = z.array(z.number());
const schema = z.looseObject({
  architecture: z.string(),
  num_classes: z.nullish(z.int()),
  label_names: labels,
  label_descriptions: z.nullish(z.record(z.string(), z.string())),
  pretrained_cfg: z.looseObject({
    tag: z.nullish(z.string()),
    license: z.nullish(z.string()),
    input_size: z.nullish(sides),
    test_input_size: z.nullish(sides),
    interpolation: z.nullish(z.string()),
    crop_pct: z.nullish(z.number().check(z.positive())),
    test_crop_pct: z.nullish(z.number().check(z.positive())),
    crop_mode: z.nullish(z.string()),
    mean: z.nullish(numbers),
    std: z.nullish(numbers),
    label_names: labels,
  }),
});

/** timm's own where its configuration says nothing. */
const defaults = {
  size: [3, 224, 224] as const,
  cropPct: 0.875,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/**
 * The `config.json` of timm's models on the Hugging Face hub, transformers' timm wrapper included. Source: timm 1.0,
 * models/_hub.py (save_config_for_hf), data/config.py, data/transforms_factory.py (transforms_imagenet_eval).
 */
export const timm: ForeignFormat = {
  name: "timm",
  files: ["config.json"],
  read({ graph, name, json, called }) {
    const config = json("config.json");
    if (!isObject(config) || !isObject(config.pretrained_cfg) || typeof config.architecture !== "string")
      return undefined;
    const file = called("config.json");
    const { architecture, pretrained_cfg: cfg, ...head } = parseForeign(schema, config, file);
    const notes: string[] = [];
    const info = pictureInput(graph);
    const fixed = info?.shape?.[info.layout.indexOf("H")];
    const atTest = cfg.test_input_size && fixed === cfg.test_input_size[1] && fixed !== cfg.input_size?.[1];
    const [said, height, width] = (atTest ? cfg.test_input_size : cfg.input_size) ?? defaults.size;
    const cropPct = (atTest ? cfg.test_crop_pct : undefined) ?? cfg.crop_pct ?? defaults.cropPct;
    const kernel = kernelByName[cfg.interpolation ?? "bicubic"];
    if (!kernel) notes.push(`interpolation "${cfg.interpolation}" isn't known: bilinear was assumed`);
    const resize = resizeOf([height, width], cropPct, cfg.crop_mode ?? "center", notes);
    const inputs = info && {
      [info.name]: {
        layout: info.layout,
        ...atGraphSize(
          { size: [height, width], resize: { kernel: kernel ?? "bilinear", antialias: true, ...resize } },
          info,
          notes,
        ),
        channelOrder: channelsOf(info, said) === 1 ? ("grey" as const) : ("RGB" as const),
        range: [0, 1] as [number, number],
        ...perChannel({ mean: cfg.mean ?? defaults.mean, std: cfg.std ?? defaults.std }, channelsOf(info, said), notes),
      },
    };
    // A label is described where that is there: "n01440764" is "tench".
    const names = labelsByNumber(head.label_names ?? cfg.label_names ?? [], `${file}: label_names`);
    const classes = names?.map((label) => head.label_descriptions?.[label] || label);
    const manifest: Manifest = {
      formatVersion: 1,
      name: architecture === "" ? name : [architecture, cfg.tag].filter(Boolean).join("."),
      ...(cfg.license ? { licence: cfg.license } : {}),
      ...(inputs ? { inputs } : {}),
      ...(classes ? { classes } : {}),
    };
    return { manifest, files: [file], notes };
  },
};

/** By `crop_mode`: how large the whole picture is made before the crop. */
function resizeOf(
  size: Size,
  cropPct: number,
  mode: string,
  notes: string[],
): Pick<ResizeManifest, "fit" | "resizeTo"> {
  const before = size.map((length) => Math.floor(length / cropPct)) as Size;
  const cropped = before[0] !== size[0] || before[1] !== size[1];
  const square = before[0] === before[1];
  if (mode === "squash") return { fit: "squash", ...(cropped ? { resizeTo: square ? before[0] : before } : {}) };
  if (mode === "border") {
    notes.push("crop_mode border: the picture is padded with black here, timm pads with the mean, and crops");
    return { fit: "pad" };
  }
  if (mode !== "center") notes.push(`crop_mode "${mode}" isn't known: center was assumed`);
  return { fit: "short-side", resizeTo: square ? before[0] : before };
}
