import * as z from "zod/mini";
import type { Graph, ValueInfo } from "../../graph/graph.ts";
import type { InputManifest, Manifest, OutputManifest } from "../manifest.ts";
import { type ForeignFormat, isObject, parseForeign, pictureInput } from "./format.ts";
import { channelsOf } from "./geometry.ts";
import { inputFromProcessor, processorIn } from "./hugging-face-processor.ts";
import { labelsByNumber } from "./labels.ts";

const side = z.int().check(z.positive());
const sides = z.union([side, z.array(side).check(z.minLength(1), z.maxLength(3))]);
const visionFields = {
  patch_size: z.nullish(z.union([sides, z.looseObject({})])),
  tubelet_size: z.nullish(sides),
  num_channels: z.nullish(z.int()),
  num_frames: z.nullish(side),
  num_register_tokens: z.nullish(z.int().check(z.minimum(0))),
};
const schema = z.looseObject({
  _name_or_path: z.nullish(z.string()),
  model_type: z.nullish(z.string()),
  architectures: z.nullish(z.array(z.string())),
  problem_type: z.nullish(z.string()),
  id2label: z.nullish(z.record(z.string(), z.string())),
  ...visionFields,
  vision_config: z.nullish(z.looseObject({ model_type: z.nullish(z.string()), ...visionFields })),
});
type Config = z.output<typeof schema>;
type Vision = NonNullable<Config["vision_config"]>;

/**
 * transformers' `config.json` (classes, tokens, activation) and its processor's file (how pictures are prepared), as `save_pretrained`
 * and optimum's exporter leave them beside the model. Source: transformers 4.57 and 5, configuration_utils.py, image_processing_*.py.
 */
export const huggingFace: ForeignFormat = {
  name: "Hugging Face",
  files: ["config.json", "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"],
  read({ graph, name, json, called }) {
    const given = json("config.json");
    const config = isConfig(given) ? parseForeign(schema, given, called("config.json")) : undefined;
    const info = pictureInput(graph);
    const processor = info && processorIn(json, { called, clip: info.layout.includes("T") });
    if (!config && !processor) return undefined;
    const notes: string[] = [];
    const vision: Vision = { model_type: config?.model_type, ...config, ...config?.vision_config };
    const inputs = info && inputsOf(info, vision, processor, notes);
    const classes = config && classesOf(config, called("config.json"));
    const output = config && outputOf(config, graph);
    const size = inputs?.[info!.name]?.size;
    const tokens = size && tokensOf(vision, size);
    const manifest: Manifest = {
      formatVersion: 1,
      name: hubName(config?._name_or_path) ?? name,
      ...(inputs ? { inputs } : {}),
      ...(classes ? { classes } : {}),
      ...(output ? { output } : {}),
      ...(tokens ? { tokens } : {}),
    };
    const files = [...(config ? [called("config.json")] : []), ...(processor ? [processor.file] : [])];
    return { manifest, files, ...(processor ? { inputsFrom: processor.file } : {}), notes };
  },
};

/** Other programs have a config.json, too. */
function isConfig(json: unknown): boolean {
  return isObject(json) && ["model_type", "architectures", "transformers_version"].some((key) => key in json);
}

/** Without a processor's file, preprocessing is assumed as it is without any manifest. */
function inputsOf(
  info: ValueInfo & { layout: NonNullable<ReturnType<typeof pictureInput>>["layout"] },
  vision: Vision,
  processor: ReturnType<typeof processorIn>,
  notes: string[],
): Record<string, InputManifest> | undefined {
  if (!processor) return undefined;
  const { layout, shape = [] } = info;
  const channels = channelsOf(info, vision.num_channels);
  const { size, ...rest } = inputFromProcessor(processor, info, channels, notes);
  if (!layout.includes("T")) return { [info.name]: { layout, size, ...rest } };
  const dim = shape[layout.indexOf("T")];
  const frames = typeof dim === "number" ? dim : vision.num_frames;
  if (frames) return { [info.name]: { layout, size: [frames, ...size], ...rest } };
  notes.push(
    "how many frames the model takes is said neither by config.json nor by the graph: preprocessing is left open",
  );
  return undefined;
}

/** Labels that somebody gave; LABEL_0 and so on are transformers' own where nobody did. */
function classesOf({ id2label }: Config, file: string): string[] | undefined {
  const labels = labelsByNumber(id2label ?? {}, `${file}: id2label`);
  return labels?.every((label, i) => label === `LABEL_${i}`) ? undefined : labels;
}

/**
 * As transformers' pipelines turn a classifier's logits into probabilities: sigmoid for several labels at a time and for a single
 * one, nothing for regression, else softmax.
 */
function outputOf({ architectures, problem_type, id2label }: Config, graph: Graph): OutputManifest | undefined {
  const classifies = architectures?.some((name) => /For(Image|Video)Classification/.test(name));
  if (!classifies || !graph.outputs.some((output) => output.name === "logits")) return undefined;
  if (problem_type === "regression") return { name: "logits", kind: "logits" };
  const several = problem_type === "multi_label_classification";
  const one = problem_type == null && Object.keys(id2label ?? {}).length === 1;
  return { name: "logits", kind: "logits", activation: several || one ? "sigmoid" : "softmax" };
}

/** How many tokens stand before the patches: class, distillation, registers. Models that aren't here have a grid all the way. */
const tokensBefore: Readonly<Record<string, (vision: Vision) => number>> = {
  ...Object.fromEntries(
    [
      ...["vit", "beit", "data2vec-vision", "dinov2", "vit_mae", "vit_msn", "dpt", "yolos"],
      ...["clip", "clip_vision_model", "chinese_clip_vision_model", "blip", "blip_vision_model", "vivit"],
    ].map((type) => [type, () => 1]),
  ),
  deit: () => 2,
  dinov2_with_registers: ({ num_register_tokens }) => 1 + (num_register_tokens ?? 4),
  dinov3_vit: ({ num_register_tokens }) => 1 + (num_register_tokens ?? 4),
  siglip: () => 0,
  siglip_vision_model: () => 0,
  ijepa: () => 0,
  videomae: () => 0,
};

/** The tokens of a picture or clip of `size`. */
function tokensOf(vision: Vision, size: readonly number[]): Manifest["tokens"] | undefined {
  const before = tokensBefore[vision.model_type ?? ""];
  const patch = patchOf(vision, size.length);
  if (!before || !patch) return undefined;
  const grid = size.map((length, axis) => Math.floor(length / patch[axis]!));
  return grid.some((count) => count < 1)
    ? undefined
    : { prefix: before(vision), grid: grid as [number, number] | [number, number, number] };
}

/** A patch's size along each axis of the input; a clip's also spans frames. */
function patchOf({ patch_size, tubelet_size }: Vision, axes: number): number[] | undefined {
  if (Array.isArray(tubelet_size) && tubelet_size.length === axes) return tubelet_size;
  if (patch_size == null || (typeof patch_size !== "number" && !Array.isArray(patch_size))) return undefined;
  const [height, width] = [[patch_size].flat()[0]!, [patch_size].flat().at(-1)!];
  if (axes === 2) return [height, width];
  return typeof tubelet_size === "number" ? [tubelet_size, height, width] : undefined;
}

/** "google/vit-base-patch16-224"; a folder's path on another machine names nothing. */
function hubName(name: string | null | undefined): string | undefined {
  return name && /^[\w-][\w.-]*(\/[\w.-]+)?$/.test(name) ? name : undefined;
}
